// Bodies as clients send them: what coding agents and SDKs do that the vendors' pages do not show, and members that only clients know.
import type { JsonObject } from "../../../src/Message.ts"

export interface Sample {
  readonly path: string
  readonly body: JsonObject
}

const schema: JsonObject = { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="

const anthropic: ReadonlyArray<Sample> = [
  {
    path: "/messages",
    body: { model: "claude", max_tokens: 100, messages: [{ role: "user", content: "Hi" }] }
  },
  {
    // As Claude Code asks: marks, blocks of system, a system message inside, thinking that must come back as it is.
    path: "/messages",
    body: {
      model: "claude-opus",
      max_tokens: 32_000,
      stream: true,
      system: [
        { type: "text", text: "You are an agent.", cache_control: { type: "ephemeral" } },
        { type: "text", text: "Be brief." }
      ],
      metadata: { user_id: "user_1" },
      thinking: { type: "enabled", budget_tokens: 10_000 },
      context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
      messages: [
        {
          role: "user",
          content: [{ type: "text", text: "<system-reminder>x</system-reminder>" }, { type: "text", text: "Weather?" }]
        },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "They ask.", signature: "EqQBCgIYAg==" },
            { type: "redacted_thinking", data: "EmwKAhgC" },
            { type: "text", text: "I look.", citations: null },
            {
              type: "tool_use",
              id: "toolu_1",
              name: "get_weather",
              input: { city: "Lisbon", nested: { a: [1, null] } }
            },
            { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "x" } },
            { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] }
          ]
        },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "toolu_1",
              content: [{ type: "text", text: "19" }, {
                type: "image",
                source: { type: "base64", media_type: "image/png", data: png }
              }],
              is_error: false
            },
            { type: "text", text: "And now?", cache_control: { type: "ephemeral", ttl: "1h" } }
          ]
        },
        { role: "system", content: "The mode has changed." },
        { role: "assistant", content: [{ type: "text", text: "Fine." }] },
        { role: "user", content: "Go ahead.", x_client_only: { a: 1 } }
      ],
      tools: [
        { name: "get_weather", description: "Weather", input_schema: schema, x_client_only: true },
        { type: "web_search_20250305", name: "web_search", max_uses: 3 }
      ]
    }
  }
]

const chat: ReadonlyArray<Sample> = [
  { path: "/chat/completions", body: { messages: [{ role: "user", content: "Hi" }], model: "gpt" } },
  {
    path: "/chat/completions",
    body: {
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
      model: "gpt",
      store: false,
      service_tier: "flex",
      user: "user-1",
      logit_bias: { "50256": -100 },
      messages: [
        { role: "developer", content: [{ type: "text", text: "Be brief." }], name: "app" },
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: `data:image/png;base64,${png}`, detail: "high" } },
            { type: "input_audio", input_audio: { data: "UklGRgAA", format: "wav" } }
          ]
        },
        {
          role: "assistant",
          content: null,
          refusal: null,
          reasoning_content: "They ask.",
          reasoning_details: [{ type: "reasoning.encrypted", data: "abc", id: "rs_1" }],
          tool_calls: [
            { id: "call_1", type: "function", function: { name: "get_weather", arguments: "{\"city\": \"Lisbon\"}" } },
            { id: "call_2", type: "custom", custom: { name: "shell", input: "ls -l" } }
          ]
        },
        { role: "tool", tool_call_id: "call_1", content: "19" },
        { role: "tool", tool_call_id: "call_2", content: [{ type: "text", text: "a.txt" }] },
        { role: "assistant", content: "It is 19.", audio: null, annotations: [], x_client_only: true },
        { role: "user", content: "Thanks.", name: "me" },
        { role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
        { role: "user", content: "Why?" }
      ],
      tools: [
        { type: "function", function: { name: "get_weather", parameters: schema, strict: false } },
        { type: "custom", custom: { name: "shell", description: "A shell" } }
      ]
    }
  }
]

const responses: ReadonlyArray<Sample> = [
  { path: "/responses", body: { model: "gpt", input: "Hi" } },
  {
    // As Codex asks: no store, reasoning without content, tools of type namespace.
    path: "/responses",
    body: {
      model: "gpt-codex",
      instructions: "You are a coding agent.",
      input: [
        { type: "message", role: "developer", content: [{ type: "input_text", text: "<permissions>" }] },
        { type: "message", role: "user", content: [{ type: "input_text", text: "Fix it." }] },
        {
          type: "reasoning",
          id: "rs_1",
          summary: [{ type: "summary_text", text: "I look." }],
          content: null,
          encrypted_content: "gAAAA"
        },
        {
          type: "message",
          id: "msg_1",
          role: "assistant",
          phase: "commentary",
          status: "completed",
          content: [{ type: "output_text", text: "Looking.", annotations: [] }]
        },
        {
          type: "function_call",
          id: "fc_1",
          name: "shell",
          namespace: "local",
          arguments: "{\"cmd\": [\"ls\"]}",
          call_id: "call_1"
        },
        { type: "function_call_output", call_id: "call_1", output: "a.txt" },
        {
          type: "custom_tool_call",
          id: "ctc_1",
          status: "completed",
          call_id: "call_2",
          name: "apply_patch",
          input: "*** Begin"
        },
        { type: "custom_tool_call_output", call_id: "call_2", output: [{ type: "input_text", text: "ok" }] },
        { type: "web_search_call", id: "ws_1", status: "completed", action: { type: "search", query: "x" } },
        { type: "message", role: "assistant", content: [{ type: "output_text", text: "Done.", annotations: [] }] },
        { type: "message", role: "user", content: "Thanks.", x_client_only: 1 },
        { type: "compaction", encrypted_content: "gBBBB" },
        {
          role: "user",
          content: [{ type: "input_image", detail: "auto", image_url: `data:image/png;base64,${png}` }, {
            type: "input_text",
            text: "And this?"
          }]
        }
      ],
      tools: [
        { type: "function", name: "shell", description: "A shell", strict: false, parameters: schema },
        { type: "custom", name: "apply_patch", format: { type: "grammar", syntax: "lark", definition: "start: x" } },
        { type: "namespace", name: "local", tools: [{ type: "function", name: "shell" }] },
        { type: "web_search", external_web_access: false }
      ],
      parallel_tool_calls: false,
      reasoning: { effort: "medium", summary: "auto", context: "all" },
      store: false,
      stream: true,
      include: ["reasoning.encrypted_content"],
      prompt_cache_key: "thread-1",
      text: { verbosity: "low" },
      client_metadata: { installation: "x" }
    }
  }
]

const gemini: ReadonlyArray<Sample> = [
  {
    path: "/models/gemini:generateContent",
    body: { contents: [{ parts: [{ text: "Hi" }], role: "user" }] }
  },
  {
    path: "/models/gemini:streamGenerateContent?alt=sse",
    body: {
      contents: [
        { role: "user", parts: [{ text: "Weather?" }, { inlineData: { mimeType: "image/png", data: png } }] },
        {
          role: "model",
          parts: [
            { text: "They ask.", thought: true, thoughtSignature: "c2ln" },
            { text: "I look." },
            { functionCall: { name: "get_weather", args: { city: "Lisbon" } }, thoughtSignature: "Y2FsbA==" },
            { functionCall: { id: "c2", name: "get_weather", args: { city: "Porto" } } }
          ]
        },
        {
          role: "user",
          parts: [
            { functionResponse: { name: "get_weather", response: { output: "19" } } },
            { functionResponse: { id: "c2", name: "get_weather", response: { celsius: 17 }, willContinue: false } }
          ]
        },
        {
          role: "model",
          parts: [{ executableCode: { language: "PYTHON", code: "1" } }, {
            codeExecutionResult: { outcome: "OUTCOME_OK", output: "1" }
          }, { text: "Fine." }]
        },
        { role: "user", parts: [{ text: "Go ahead.", x_client_only: true }] }
      ],
      systemInstruction: { role: "user", parts: [{ text: "Be brief." }] },
      tools: [
        {
          functionDeclarations: [{
            name: "get_weather",
            description: "Weather",
            parameters: { type: "OBJECT", properties: { city: { type: "STRING" } } }
          }]
        },
        { googleSearch: {} }
      ],
      safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_NONE" }],
      generationConfig: {
        temperature: 0,
        maxOutputTokens: 100,
        thinkingConfig: { includeThoughts: true, thinkingBudget: -1 },
        mediaResolution: "MEDIA_RESOLUTION_LOW"
      },
      cachedContent: "cachedContents/x"
    }
  },
  {
    path: "/models/gemini:generateContent",
    body: {
      system_instruction: { parts: { text: "Be brief." } },
      contents: [{ parts: [{ text: "Hi" }] }],
      generation_config: { max_output_tokens: 100, response_mime_type: "application/json" }
    }
  }
]

const bedrock: ReadonlyArray<Sample> = [
  {
    path: "/model/claude/converse",
    body: { messages: [{ role: "user", content: [{ text: "Hi" }] }] }
  },
  {
    path: "/model/us.amazon.nova-lite-v1%3A0/converse-stream",
    body: {
      system: [{ text: "Be brief." }, { cachePoint: { type: "default" } }],
      messages: [
        {
          role: "user",
          content: [
            { text: "What is this?" },
            { image: { format: "png", source: { bytes: png } } },
            { document: { format: "pdf", name: "Report", source: { s3Location: { uri: "s3://b/r.pdf" } } } },
            { cachePoint: { type: "default", ttl: "1h" } }
          ]
        },
        {
          role: "assistant",
          content: [
            { reasoningContent: { reasoningText: { text: "They ask.", signature: "c2ln" } } },
            { reasoningContent: { redactedContent: "cmVk" } },
            { text: "I look." },
            { toolUse: { toolUseId: "t1", name: "get_weather", input: { city: "Lisbon" } } }
          ]
        },
        {
          role: "user",
          content: [{ toolResult: { toolUseId: "t1", content: [{ json: { celsius: 19 } }], status: "success" } }]
        },
        { role: "assistant", content: [{ text: "19." }] },
        { role: "user", content: [{ text: "Thanks." }], x_client_only: true },
        { role: "assistant", content: [{ text: "Well." }] },
        { role: "user", content: [{ guardContent: { text: { text: "x" } } }, { text: "And?" }] }
      ],
      toolConfig: {
        tools: [{ toolSpec: { name: "get_weather", inputSchema: { json: schema } } }, {
          cachePoint: { type: "default" }
        }]
      },
      inferenceConfig: { maxTokens: 100, temperature: 0 },
      guardrailConfig: { guardrailIdentifier: "g", guardrailVersion: "1" },
      requestMetadata: { team: "x" },
      additionalModelRequestFields: { top_k: 10, anthropic_beta: ["x"] }
    }
  }
]

const cohere: ReadonlyArray<Sample> = [
  { path: "/chat", body: { model: "command", messages: [{ role: "user", content: "Hi" }], stream: false } },
  {
    path: "/chat",
    body: {
      stream: true,
      model: "command",
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [{ type: "text", text: "What is this?" }, {
            type: "image_url",
            image_url: { url: "https://example.com/a.png" }
          }]
        },
        {
          role: "assistant",
          tool_plan: "I look.",
          tool_calls: [{
            id: "t1",
            type: "function",
            function: { name: "get_weather", arguments: "{\"city\": \"Lisbon\"}" }
          }],
          citations: []
        },
        {
          role: "tool",
          tool_call_id: "t1",
          content: [{ type: "document", document: { id: "d1", data: { celsius: "19" } } }]
        },
        { role: "assistant", content: [{ type: "thinking", thinking: "Well." }, { type: "text", text: "19." }] },
        { role: "user", content: "Thanks.", x_client_only: 1 },
        { role: "assistant", content: "Well." },
        { role: "user", content: "And?" }
      ],
      tools: [{ type: "function", function: { name: "get_weather", parameters: schema } }],
      citation_options: { mode: "FAST" },
      safety_mode: "OFF",
      k: 10
    }
  },
  {
    path: "/chat",
    body: {
      model: "command",
      documents: ["A text.", { id: "d", data: { title: "T", text: "More." } }],
      messages: [{ role: "user", content: "What does it say?" }]
    }
  }
]

const ollama: ReadonlyArray<Sample> = [
  { path: "/api/chat", body: { model: "qwen", messages: [{ role: "user", content: "Hi" }] } },
  {
    path: "/api/chat",
    body: {
      model: "qwen",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "What is this?", images: [png] },
        {
          role: "assistant",
          content: "",
          thinking: "They ask.",
          tool_calls: [{ function: { name: "get_weather", arguments: { city: "Lisbon" } } }]
        },
        { role: "tool", content: "19", tool_name: "get_weather" },
        { role: "assistant", content: "19." },
        { role: "user", content: "Thanks.", x_client_only: 1 },
        { role: "assistant", content: "Well." },
        { role: "user", content: "And?" }
      ],
      tools: [{ type: "function", function: { name: "get_weather", description: "Weather", parameters: schema } }],
      keep_alive: "5m",
      think: true,
      stream: false,
      options: { temperature: 0, num_ctx: 8192, mirostat: 1 }
    }
  }
]

export const samples: { readonly [kind: string]: ReadonlyArray<Sample> } = {
  anthropic,
  chat,
  responses,
  gemini,
  bedrock,
  cohere,
  ollama
}
