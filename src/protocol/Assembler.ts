/**
 * The event grammar, kept in one place: every decoder emits through an assembler.
 *
 * What decoders need of it is in `assembling.ts`, which is loaded with the first of them; this module is its public name.
 *
 * @since 0.1.0
 */
export { wellFormed } from "../json/text.ts"
export { Assembler, maxParts, readArguments } from "./assembling.ts"
