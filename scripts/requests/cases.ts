/**
 * What is asked: every option alone, every two of them, every form of message, alone and with the options that change what becomes of it.
 */
import { type LlmRequest, LlmTool, Message } from "../../src/index.ts"

/** A request and its name. */
export interface Case {
  readonly name: string
  /** Kinds of what it is made of: `option`, `pair` or `form`. */
  readonly kind: "option" | "pair" | "form"
  readonly request: LlmRequest.LlmRequest
}

type Options = LlmRequest.RequestOptions
type Messages = ReadonlyArray<Message.Message>

const object = (properties: { readonly [name: string]: LlmTool.JsonSchema }, required = Object.keys(properties)) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false
})

const place = object({ city: { type: "string", description: "A city." } })
const lookUp = LlmTool.make("look_up", { description: "Looks up the weather.", parameters: place })
const count = LlmTool.make("count_people", {
  description: "Counts people.",
  parameters: object({ city: { type: "string" }, year: { type: "integer" } }, ["city"])
})
const now = LlmTool.make("now", { description: "Tells the time.", parameters: object({}) })

const answer = object({ city: { type: "string" }, people: { type: "integer" } })
const loose = object({ city: { type: "string" }, people: { type: "integer" } }, ["city"])
const nested = object({
  cities: {
    type: "array",
    items: object({ name: { type: "string" }, kind: { type: "string", enum: ["big", "small"] } })
  }
})

/** The options, each in the forms that providers tell apart. */
const options: { readonly [name: string]: Options } = {
  system: { system: "Be brief." },
  "maxTokens: 10": { maxTokens: 10 },
  "maxTokens: 8000": { maxTokens: 8000 },
  "temperature: 0": { temperature: 0 },
  "temperature: 0.7": { temperature: 0.7 },
  "temperature: 1.5": { temperature: 1.5 },
  topP: { topP: 0.9 },
  topK: { topK: 40 },
  frequencyPenalty: { frequencyPenalty: 0.5 },
  presencePenalty: { presencePenalty: 0.5 },
  stop: { stop: ["END"] },
  "stop: 6": { stop: ["A", "B", "C", "D", "E", "F"] },
  seed: { seed: 7 },
  tools: { tools: [lookUp, count] },
  "tools: strict": { tools: [{ ...lookUp, strict: true }] },
  "tools: no parameters": { tools: [lookUp, now] },
  "tools: custom": { tools: [lookUp, LlmTool.custom("note", { description: "Notes." })] },
  "toolChoice: auto": { tools: [lookUp], toolChoice: "auto" },
  "toolChoice: required": { tools: [lookUp], toolChoice: "required" },
  "toolChoice: none": { tools: [lookUp], toolChoice: "none" },
  "toolChoice: name": { tools: [lookUp, count], toolChoice: { name: "look_up" } },
  "parallelToolCalls: false": { tools: [lookUp], parallelToolCalls: false },
  "parallelToolCalls: true": { tools: [lookUp], parallelToolCalls: true },
  "responseFormat: text": { responseFormat: { type: "text" } },
  "responseFormat: json": { responseFormat: { type: "json" } },
  "responseFormat: schema": { responseFormat: { type: "json-schema", schema: answer } },
  "responseFormat: loose schema": { responseFormat: { type: "json-schema", schema: loose, description: "A city." } },
  "responseFormat: nested schema": { responseFormat: { type: "json-schema", schema: nested, name: "cities" } },
  "thinking: off": { thinking: "off" },
  "thinking: minimal": { thinking: "minimal" },
  "thinking: low": { thinking: "low" },
  "thinking: medium": { thinking: "medium" },
  "thinking: high": { thinking: "high" },
  "thinking: max": { thinking: "max" },
  "thinking: budget": { thinking: { budgetTokens: 2000 } },
  "thinking: small budget": { thinking: { budgetTokens: 100 } },
  "effort: low": { effort: "low" },
  "effort: max": { effort: "max" },
  "cache: prompt": { system: "Be brief.", cache: { systemPrompt: true, recentTurns: 1 } },
  "cache: tools": { tools: [lookUp], cache: { tools: true, extendedTtl: true } },
  "cache: key": { cache: { key: "k" } },
  logprobs: { logprobs: true },
  "logprobs: 3": { logprobs: 3 },
  metadata: { metadata: { team: "a" }, scope: { userId: "u" } }
}

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
const pdf = "JVBERi0xLjAKJSVFT0YK"
const call = (id: string, name = "look_up"): Message.ToolCallPart => ({
  type: "tool-call",
  id,
  name,
  arguments: { city: "Bern" }
})
const result = (id: string, content: Message.ToolResultPart["content"] = "Rain."): Message.ToolResultPart => ({
  type: "tool-result",
  toolCallId: id,
  name: "look_up",
  content
})
const weather = Message.user("How is the weather in Bern?")
const thought = (origin: Message.Origin, more: Partial<Message.ReasoningPart> = {}): Message.ReasoningPart => ({
  type: "reasoning",
  text: "They ask for the weather.",
  origin,
  ...more
})
const image = (source: Message.Media): Message.ImagePart => ({ type: "image", source })
const file = (source: Message.Media, filename?: string): Message.FilePart => ({ type: "file", source, filename })
const loop: Messages = [
  weather,
  Message.assistant([{ type: "text", text: "I look." }, call("call_1")]),
  Message.tool([result("call_1")])
]

/** Forms of messages. */
const forms: { readonly [name: string]: { readonly messages: Messages; readonly options?: Options } } = {
  "one user turn": { messages: [weather] },
  "system in front": { messages: [Message.system("Be brief."), weather] },
  "system twice": { messages: [Message.system("Be brief."), Message.system("Be kind."), weather] },
  "system in the middle": {
    messages: [weather, Message.assistant("Rain."), Message.system("Be brief."), Message.user("And in Basel?")]
  },
  "system at the end": { messages: [weather, Message.assistant("Rain."), Message.system("Be brief.")] },
  "only a system turn": { messages: [Message.system("Say hello.")] },
  "two user turns": { messages: [weather, Message.user("And in Basel?")] },
  "two assistant turns": {
    messages: [weather, Message.assistant("Rain."), Message.assistant("All day."), Message.user("Thanks.")]
  },
  "assistant first": { messages: [Message.assistant("Hello."), weather] },
  "assistant last": { messages: [weather, Message.assistant("It is")] },
  "assistant last, a space at the end": { messages: [weather, Message.assistant("It is ")] },
  "empty user text": { messages: [Message.user(""), weather] },
  "blank user text": { messages: [weather, Message.assistant("Rain."), Message.user("  \n")] },
  "empty assistant turn": { messages: [weather, Message.assistant([]), Message.user("And?")] },
  "empty text part": { messages: [Message.user([{ type: "text", text: "" }, { type: "text", text: "Hello." }])] },
  "two text parts": { messages: [Message.user([{ type: "text", text: "Hello." }, { type: "text", text: "World." }])] },
  "half a surrogate pair": { messages: [Message.user("Hello \ud83d"), Message.assistant("\udc00"), Message.user("?")] },
  "image, base64": {
    messages: [
      Message.user([image({ type: "base64", mediaType: "image/png", data: png }), { type: "text", text: "What?" }])
    ]
  },
  "image, odd media type": {
    messages: [
      Message.user([image({ type: "base64", mediaType: "image/jpg", data: png }), { type: "text", text: "What?" }])
    ]
  },
  "image, URL": {
    messages: [
      Message.user([image({ type: "url", url: "https://example.com/a.png" }), { type: "text", text: "What?" }])
    ]
  },
  "image without text": { messages: [Message.user([image({ type: "base64", mediaType: "image/png", data: png })])] },
  "image, detail": {
    messages: [Message.user([{ ...image({ type: "url", url: "https://example.com/a.png" }), detail: "low" }])]
  },
  "PDF, base64": {
    messages: [
      Message.user([file({ type: "base64", mediaType: "application/pdf", data: pdf }, "a.pdf"), {
        type: "text",
        text: "What?"
      }])
    ]
  },
  "PDF, URL": {
    messages: [Message.user([
      file({ type: "url", url: "https://example.com/a.pdf", mediaType: "application/pdf" }),
      { type: "text", text: "What?" }
    ])]
  },
  "text file": {
    messages: [
      Message.user([file({ type: "base64", mediaType: "text/plain", data: "SGVsbG8u" }, "a.txt"), {
        type: "text",
        text: "What?"
      }])
    ]
  },
  "uploaded file": {
    messages: [
      Message.user([file({ type: "file", fileId: "file_1", mediaType: "application/pdf" }), {
        type: "text",
        text: "What?"
      }])
    ]
  },
  sound: {
    messages: [Message.user([
      { type: "audio", source: { type: "base64", mediaType: "audio/wav", data: "UklGRg==" } },
      { type: "text", text: "What?" }
    ])]
  },
  "tool loop": { messages: loop, options: { tools: [lookUp] } },
  "tool loop, done": {
    messages: [...loop, Message.assistant("Rain."), Message.user("Thanks.")],
    options: { tools: [lookUp] }
  },
  "tool loop, tools gone": { messages: loop },
  "tool loop, then the user": { messages: [...loop, Message.user("Be quick.")], options: { tools: [lookUp] } },
  "tool loop, only a call": {
    messages: [weather, Message.assistant([call("call_1")]), Message.tool([result("call_1")])],
    options: { tools: [lookUp] }
  },
  "parallel calls": {
    messages: [
      weather,
      Message.assistant([call("call_1"), call("call_2")]),
      Message.tool([result("call_1"), result("call_2", "Sun.")])
    ],
    options: { tools: [lookUp] }
  },
  "parallel calls, results apart and in another order": {
    messages: [
      weather,
      Message.assistant([call("call_1"), call("call_2")]),
      Message.tool([result("call_2")]),
      Message.tool([result("call_1")])
    ],
    options: { tools: [lookUp] }
  },
  "result of an error": {
    messages: [
      weather,
      Message.assistant([call("call_1")]),
      Message.tool([{ ...result("call_1", "No such city."), isError: true }])
    ],
    options: { tools: [lookUp] }
  },
  "result that is empty": {
    messages: [weather, Message.assistant([call("call_1")]), Message.tool([result("call_1", "")])],
    options: { tools: [lookUp] }
  },
  "result with an image": {
    messages: [
      weather,
      Message.assistant([call("call_1")]),
      Message.tool([result("call_1", [
        { type: "text", text: "A map." },
        image({ type: "base64", mediaType: "image/png", data: png })
      ])])
    ],
    options: { tools: [lookUp] }
  },
  "call without a result": { messages: [weather, Message.assistant([call("call_1")]), Message.user("Well?")] },
  "call without a result at the end": {
    messages: [weather, Message.assistant([call("call_1")])],
    options: { tools: [lookUp] }
  },
  "result without a call": { messages: [weather, Message.tool([result("call_9")]), Message.user("Well?")] },
  "result that comes late": {
    messages: [weather, Message.assistant([call("call_1")]), Message.user("Well?"), Message.tool([result("call_1")])],
    options: { tools: [lookUp] }
  },
  "call in front": {
    messages: [Message.assistant([call("call_1")]), Message.tool([result("call_1")])],
    options: { tools: [lookUp] }
  },
  "ids of another world": {
    messages: [
      weather,
      Message.assistant([call(`fc:${"x".repeat(80)}.1`)]),
      Message.tool([result(`fc:${"x".repeat(80)}.1`)])
    ],
    options: { tools: [lookUp] }
  },
  "names of another world": {
    messages: [
      weather,
      Message.assistant([call("call_1", `web.${"look_up".repeat(10)}`)]),
      Message.tool([{ ...result("call_1"), name: `web.${"look_up".repeat(10)}` }])
    ],
    options: { tools: [lookUp] }
  },
  "call with arguments that are no JSON": {
    messages: [
      weather,
      Message.assistant([{ ...call("call_1"), arguments: "{\"city\": ", invalid: true }]),
      Message.tool([result("call_1")])
    ],
    options: { tools: [lookUp] }
  },
  "reasoning of Claude": {
    messages: [
      weather,
      Message.assistant([
        thought({ wire: "anthropic-messages", provider: "anthropic" }, { signature: "c2ln" }),
        call("call_1")
      ]),
      Message.tool([result("call_1")])
    ],
    options: { tools: [lookUp] }
  },
  "reasoning of OpenAI": {
    messages: [
      weather,
      Message.assistant([
        thought({ wire: "openai-responses", provider: "openai" }, {
          text: "",
          encrypted: "ZW5j",
          replay: { id: "rs_1" }
        }),
        { type: "text", text: "Rain." }
      ]),
      Message.user("And in Basel?")
    ]
  },
  "reasoning of an open model": {
    messages: [
      weather,
      Message.assistant([thought({ wire: "openai-chat", provider: "deepseek" }), { type: "text", text: "Rain." }]),
      Message.user("And in Basel?")
    ]
  },
  "reasoning alone": {
    messages: [
      weather,
      Message.assistant([thought({ wire: "openai-chat", provider: "deepseek" })]),
      Message.user("Well?")
    ]
  },
  "cache marks": {
    messages: [
      Message.cacheable(Message.system("Be brief.")),
      Message.cacheableExtended(weather),
      Message.assistant("Rain."),
      Message.cacheable(Message.user("And in Basel?"))
    ]
  },
  "many cache marks": {
    messages: ["a", "b", "c", "d", "e", "f"].flatMap((
      text
    ) => [Message.cacheable(Message.user(text)), Message.assistant(text)])
      .concat([Message.user("Well?")])
  }
}

/** Options that change what becomes of messages. */
const withForms = [
  "system",
  "maxTokens: 8000",
  "tools",
  "toolChoice: required",
  "responseFormat: json",
  "responseFormat: schema",
  "thinking: off",
  "thinking: high",
  "thinking: budget",
  "cache: prompt",
  "cache: tools"
]

/** Two options together; the tools of both, and of any other field the later one's. */
const together = (one: Options, other: Options): Options => {
  const names = new Map([...one.tools ?? [], ...other.tools ?? []].map((tool) => [tool.name, tool]))
  return { ...one, ...other, ...(names.size === 0 ? {} : { tools: [...names.values()] }) }
}

/** Two that set the same field are no pair. */
const isPair = (one: Options, other: Options): boolean =>
  Object.keys(one).every((field) => field === "tools" || field === "system" || !(field in other)) &&
  !(Object.keys(one).join() === "tools" && Object.keys(other).join() === "tools")

const named = Object.entries(options)

/** Every case. */
export const cases: ReadonlyArray<Case> = [
  { name: "nothing", kind: "option", request: { prompt: "How is the weather in Bern?" } },
  ...named.map(([name, one]): Case => ({
    name,
    kind: "option",
    request: { prompt: "How is the weather in Bern?", ...one }
  })),
  ...named.flatMap(([name, one], index) =>
    named.slice(index + 1).flatMap(([otherName, other]): ReadonlyArray<Case> =>
      isPair(one, other)
        ? [{
          name: `${name} + ${otherName}`,
          kind: "pair",
          request: { prompt: "How is the weather in Bern?", ...together(one, other) }
        }]
        : []
    )
  ),
  ...Object.entries(forms).flatMap(([name, form]) => [
    { name, kind: "form" as const, request: { messages: form.messages, ...form.options } },
    ...withForms.map((option): Case => ({
      name: `${name} + ${option}`,
      kind: "form",
      request: { messages: form.messages, ...together(form.options ?? {}, options[option]!) }
    }))
  ])
]
