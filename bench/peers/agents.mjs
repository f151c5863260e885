/** What the peers of the agent benchmark have in common; the same as agents-work.ts. */
export const resultOf = (n) => ({ n, text: `The entry ${n} is in the list, at place ${n * 7}. `.repeat(2) })

export const lookUpSchema = {
  type: "object",
  properties: { n: { type: "integer" } },
  required: ["n"],
  additionalProperties: false
}

export const entrySchema = {
  type: "object",
  properties: {
    entries: {
      type: "array",
      items: {
        type: "object",
        properties: {
          id: { type: "integer" },
          name: { type: "string" },
          text: { type: "string" },
          done: { type: "boolean" }
        },
        required: ["id", "name", "text", "done"],
        additionalProperties: false
      }
    }
  },
  required: ["entries"],
  additionalProperties: false
}
