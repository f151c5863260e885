/**
 * Masks what looks like a key of some known provider, although nobody said so.
 *
 * Each expression takes time linear in the text: where a run of characters is looked through that may turn out to be no
 * key, either the run is bounded or it is entered at its beginning only. The test measures every one of them.
 *
 * @since 0.1.0
 */

const shapes: ReadonlyArray<readonly [pattern: RegExp, replacement: (mark: string) => string]> = [
  // Scheme and token; a digit keeps "Bearer authentication" readable.
  [/\b(?:bearer|basic)\s{1,4}(?=[^\s"'<>,;]{0,128}\d)[A-Za-z0-9._~+/=*-]{16,}/gi, (mark) => mark],
  // OpenAI, Anthropic, OpenRouter, DeepSeek, Moonshot, Cerebras and their like; `*` because providers echo them starred.
  [/(?<![A-Za-z0-9])(?:sk|csk|pk|rk)-(?=[A-Za-z0-9_*-]{0,128}[\d*])[A-Za-z0-9_*-]{8,}/g, (mark) => mark],
  [/(?<![A-Za-z0-9])sk-(?:ant|or|proj|svcacct)-[A-Za-z0-9_*-]{4,}/g, (mark) => mark],
  // Google API keys and OAuth tokens
  [/(?<![A-Za-z0-9])AIza[A-Za-z0-9_*-]{20,}/g, (mark) => mark],
  [/(?<![A-Za-z0-9])ya29\.[A-Za-z0-9_.-]{16,}/g, (mark) => mark],
  // Groq, xAI, Hugging Face, Replicate, Perplexity, Fireworks, NVIDIA, Together
  [/(?<![A-Za-z0-9])(?:gsk_|xai-|hf_|r8_|pplx-|fw_|nvapi-|tgp_v1_)[A-Za-z0-9_*-]{16,}/g, (mark) => mark],
  // GitHub
  [/(?<![A-Za-z0-9])(?:gh[oprsu]_|github_pat_)[A-Za-z0-9_]{16,}/g, (mark) => mark],
  // AWS access key ids, Bedrock API keys
  [/(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{12,}(?![a-z0-9])/g, (mark) => mark],
  [/(?<![A-Za-z0-9])(?:ABSK|bedrock-api-key-)[A-Za-z0-9+/=_-]{20,}/g, (mark) => mark],
  // Query parameters
  [
    /([?&](?:key|api[-_]?key|access[-_]?token|token|auth|sig|signature|client[-_]?secret|subscription-key|x-amz-(?:signature|credential|security-token))=)[^&\s"'<>#]+/gi,
    (mark) => `$1${mark}`
  ],
  // Credentials in a URL; a user without a password is one only when it is long.
  [/(:\/\/)[^\s/@:"'<>]{1,256}:[^\s/@"'<>]{1,256}(?=@)/g, (mark) => `$1${mark}`],
  [/(:\/\/)[^\s/@:"'<>]{16,256}(?=@)/g, (mark) => `$1${mark}`],
  // Headers as text or JSON
  [
    /((?:\b|")(?:authorization|x-api-key|api-key|apikey|x-goog-api-key|ocp-apim-subscription-key|x-amz-security-token|x-auth-token|x-access-token|helicone-auth|cf-access-client-secret|cookie)\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?)(?:(?:bearer|basic)\s{1,4})?(?:(?=[^\s"'<>,;\\]{0,128}\d)[^\s"'<>,;\\]{8,}|[^\s"'<>,;\\]{20,})/gi,
    (mark) => `$1${mark}`
  ]
]

/** Runs joined by dots: a JSON web token, with what stands before it in the same run. */
const dotted = /(?<![\w-])[\w-]{11,}\.eyJ[\w-]{8,}\.[\w-]{4,}/g

const maskTokens = (text: string, mark: string): string =>
  text.replace(dotted, (run) => {
    const head = run.slice(0, run.indexOf("."))
    const begin = /(?<![A-Za-z0-9])eyJ/.exec(head)
    return begin === null || head.length - begin.index < 11 ? run : run.slice(0, begin.index) + mark
  })

/** What every shape has in it: one look is enough for most of the short texts of a call, such as ids. */
const possible =
  /sk-|[pr]k-|AIza|ya29|gsk_|xai-|hf_|r8_|pplx-|fw_|nvapi-|tgp_v1_|gh[oprsu]_|github_pat_|A[KS]IA|ABSK|bedrock-api-key-|eyJ|[=:]|bearer\s|basic\s/i

/**
 * Whether anything in the text may be a key.
 *
 * @category guards
 * @since 0.1.0
 */
export const mayHoldKey = (text: string): boolean => possible.test(text)

/**
 * The text with everything that looks like a key replaced by the mark.
 *
 * @category scrubbing
 * @since 0.1.0
 */
export const maskShapes = (text: string, mark: string): string => {
  // `$` has a meaning in replacements.
  const literal = mark.replaceAll("$", "$$$$")
  let out = maskTokens(text, mark)
  for (const [pattern, replacement] of shapes) out = out.replace(pattern, replacement(literal))
  return out
}
