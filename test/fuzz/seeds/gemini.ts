// Small answers of Gemini, streamed and whole.
import { plain, type WireSeeds } from "./frames.ts"

const candidate = (parts: ReadonlyArray<object>, more: object = {}) => ({
  candidates: [{ index: 0, content: { role: "model", parts }, ...more }],
  modelVersion: "gemini-test",
  responseId: "r1"
})

const geminiUsage = {
  promptTokenCount: 9,
  candidatesTokenCount: 4,
  thoughtsTokenCount: 2,
  totalTokenCount: 15,
  promptTokensDetails: [{ modality: "TEXT", tokenCount: 9 }]
}

export const gemini: WireSeeds = {
  framing: "sse",
  streams: [
    {
      frames: [
        plain(candidate([{ text: "Hm.", thought: true }])),
        plain(candidate([{ text: "Hello" }])),
        plain(candidate([{ text: " there", thoughtSignature: "c2ln" }])),
        plain(candidate([{ functionCall: { id: "c1", name: "weigh", args: { item: "salt", of: [1, { a: null }] } } }])),
        plain({ ...candidate([{ text: "" }], { finishReason: "STOP" }), usageMetadata: geminiUsage })
      ],
      completeAt: 4
    },
    {
      frames: [
        plain(
          candidate([{
            functionCall: {
              name: "order",
              willContinue: true,
              partialArgs: [{ jsonPath: "$.a.b[0]", stringValue: "x", willContinue: true }]
            }
          }])
        ),
        plain(
          candidate([{
            functionCall: { willContinue: true, partialArgs: [{ jsonPath: "$.a.b[0]", stringValue: "y" }] }
          }])
        ),
        plain(candidate([{ functionCall: { partialArgs: [{ jsonPath: "$.n", numberValue: 3 }] } }])),
        plain(
          candidate([{ executableCode: { language: "PYTHON", code: "1" } }, {
            codeExecutionResult: { outcome: "OUTCOME_OK", output: "1" }
          }, { inlineData: { mimeType: "image/png", data: "AAAA" } }])
        ),
        plain({
          ...candidate([], {
            finishReason: "STOP",
            groundingMetadata: {
              groundingChunks: [{ web: { uri: "https://a.example", title: "A" } }],
              groundingSupports: [{ segment: { startIndex: 0, endIndex: 1, text: "x" }, groundingChunkIndices: [0] }]
            },
            citationMetadata: { citationSources: [{ uri: "https://b.example", startIndex: 0 }] },
            safetyRatings: [{ category: "HARM", probability: "LOW" }]
          }),
          usageMetadata: geminiUsage
        })
      ],
      completeAt: 4
    },
    {
      frames: [
        plain(candidate([{ text: "Hello" }])),
        plain({
          error: {
            code: 429,
            message: "Quota",
            status: "RESOURCE_EXHAUSTED",
            details: [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "3s" }]
          }
        })
      ],
      completeAt: 2
    }
  ],
  bodies: [
    {
      ...candidate([{ text: "Hello" }, { functionCall: { name: "weigh", args: { item: "salt" } } }], {
        finishReason: "STOP",
        avgLogprobs: -0.1,
        logprobsResult: { chosenCandidates: [{ token: "Hello", logProbability: -0.1 }], topCandidates: [] }
      }),
      usageMetadata: geminiUsage
    },
    { promptFeedback: { blockReason: "SAFETY" }, usageMetadata: geminiUsage },
    { error: { code: 400, message: "API key not valid.", status: "INVALID_ARGUMENT" } }
  ]
}
