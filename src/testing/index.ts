/**
 * Tools for testing applications: `TestLlm`, a scripted model without a network, and `Simulator`, a local server that
 * speaks the providers' wires and their faults.
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 */
export * as Simulator from "./Simulator.ts"

/**
 * @since 0.1.0
 */
export * as TestLlm from "./TestLlm.ts"

/** Replays recorded traffic of real providers through the public API and compares. */
export * as Conformance from "./Conformance.ts"
