/**
 * Encoders that get requests which the model and the host take.
 *
 * @since 0.1.0
 */
import type { OptionRules } from "../Model.ts"
import { fitted } from "../model/rules.ts"
import type { Encoded, EncodeInput, Refused } from "./Protocol.ts"

/**
 * An encoder that gets requests which the model and the host take: `rulesOf` says what they do not, and everything that is changed
 * or refused for it happens here, before the wire spells anything.
 *
 * @category encoding
 * @since 0.1.0
 */
export const fitting = (
  rulesOf: (input: EncodeInput) => ReadonlyArray<OptionRules | undefined>,
  encode: (input: EncodeInput) => Encoded | Refused
) =>
(input: EncodeInput): Encoded | Refused => {
  const { docs, meta, request, stream } = input
  const fit = fitted(request, { meta, rules: rulesOf(input), stream, docs })
  if ("refused" in fit) return fit
  const encoded = encode({ ...input, request: fit.request })
  return "refused" in encoded || fit.warnings.length === 0
    ? encoded
    : { ...encoded, warnings: [...fit.warnings, ...encoded.warnings] }
}
