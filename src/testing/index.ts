/**
 * Tools for testing applications on any runtime: `TestLlm`, a scripted model without a network. What needs Node has a subpath of its own:
 * `effect-llm/testing/Simulator`, a local server that speaks the providers' wires and their faults, and
 * `effect-llm/testing/Conformance`, which replays recorded traffic.
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 */
export * as TestLlm from "./TestLlm.ts"
