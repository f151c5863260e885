/**
 * What stands around the encoder of every wire: requests that came in on it are sent as they came, tools have names that it takes, and what
 * the model and the host do not take is gone before the wire spells anything.
 *
 * @since 0.1.0
 */
import type { OptionRules } from "../Model.ts"
import { fitted } from "../model/rules.ts"
import { withToolNames } from "./conversation/ToolNames.ts"
import type { Encode, EncodeInput } from "./Protocol.ts"
import { type Spelling, verbatim } from "./Verbatim.ts"

/**
 * What an encoder of a wire is made of.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Parts extends Spelling {
  readonly wire: string
  /** The names of tools that the wire takes. @default any */
  readonly toolNames?: RegExp | undefined
  /** What the host or its model does not take, whatever is known of the model. */
  readonly rules: (input: EncodeInput) => ReadonlyArray<OptionRules | undefined>
}

/** An encoder that gets requests which the model and the host take; everything that is changed or refused for it happens here. */
const fitting = (rules: Parts["rules"], encode: Encode): Encode => (input) => {
  const { docs, meta, request, stream } = input
  const fit = fitted(request, { meta, rules: rules(input), stream, docs })
  if ("refused" in fit) return fit
  const encoded = encode({ ...input, request: fit.request })
  return "refused" in encoded || fit.warnings.length === 0
    ? encoded
    : { ...encoded, warnings: [...fit.warnings, ...encoded.warnings] }
}

/**
 * The encoder of a wire, from what only that wire knows.
 *
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const encoding = ({ encode, path, rules, toolNames, wire }: Parts): Encode => {
  const fit = fitting(rules, encode)
  const spelling: Spelling = { encode: toolNames === undefined ? fit : withToolNames(toolNames, fit), path }
  return (input) => verbatim(wire, input, spelling)
}
