/** The conversation of a prompt, as most libraries take it. */
export const messages = ({ turns }) =>
  turns.map((content, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content }))

export const modelOf = (wire) => wire === "anthropic" ? "claude-sonnet-4-5" : "gpt-4.1"

/** A tool for the answers that call one. */
export const toolSchema = {
  type: "object",
  properties: { path: { type: "string" }, content: { type: "string" } },
  required: ["path", "content"]
}
