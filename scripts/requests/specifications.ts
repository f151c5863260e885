/**
 * Public machine-readable specifications of providers: where they are, pinned, and what of them describes a request.
 *
 * They are read from `.specs/`, which is not part of the repository; `npm run requests -- --fetch` fills it. The types of SDKs that are
 * development dependencies are always there.
 */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { parse } from "yaml"
import { type Fields, fieldsOf, type Sent, type Validator } from "./Fault.ts"
import { readParameters } from "./parameters.ts"
import { schemasOfProtos } from "./protos.ts"
import { type Check, checker, type Finding } from "./schema.ts"
import { installed, nameOf, schemasOf } from "./types.ts"

const folder = fileURLToPath(new URL("../../.specs/", import.meta.url))

/** A file of a public repository, at a commit, or of a package of npm, at a version. */
type Place =
  | { readonly repository: string; readonly commit: string; readonly path: string }
  | { readonly npm: string; readonly version: string; readonly path: string }

/** What describes requests in a document: a pointer to a schema, a type, or a message of a package of protocol buffers. */
type Subject =
  | { readonly parameters: true }
  | { readonly pointer: string }
  | { readonly type: string }
  | { readonly package: string; readonly message: string }

interface Specification {
  readonly name: string
  readonly place: Place | { readonly installed: string }
  readonly subject: Subject
  /** Targets it describes, by provider and wire. */
  readonly of: ReadonlyArray<string>
  /** Faults that the provider's documentation takes back, each with why and where it says so. */
  readonly except?: ReadonlyArray<Exception> | undefined
}

interface Exception {
  readonly at: RegExp
  readonly message?: RegExp | undefined
  /** @default all */
  readonly models?: RegExp | undefined
  readonly why: string
}

const post = (path: string) => ({
  pointer: `#/paths/${path.replaceAll("/", "~1")}/post/requestBody/content/application~1json/schema`
})

/** Every specification. */
const specifications: ReadonlyArray<Specification> = [
  {
    name: "OpenAI OpenAPI: chat",
    place: {
      repository: "openai/openai-openapi",
      commit: "f85dbe223d40e1a31cba812ab2d755c7e98a92a3",
      path: "openapi.json"
    },
    subject: post("/chat/completions"),
    of: ["openai/openai-chat", "azure/openai-chat"]
  },
  {
    name: "OpenAI OpenAPI: responses",
    place: {
      repository: "openai/openai-openapi",
      commit: "f85dbe223d40e1a31cba812ab2d755c7e98a92a3",
      path: "openapi.json"
    },
    subject: post("/responses"),
    of: ["openai/openai-responses", "azure/openai-responses"]
  },
  {
    name: "openai SDK: chat",
    place: { installed: "openai/resources/chat/completions/completions.d.ts" },
    subject: { type: "ChatCompletionCreateParams" },
    of: ["openai/openai-chat", "azure/openai-chat"]
  },
  {
    name: "openai SDK: responses",
    place: { installed: "openai/resources/responses/responses.d.ts" },
    subject: { type: "ResponseCreateParams" },
    of: ["openai/openai-responses", "azure/openai-responses"]
  },
  {
    name: "anthropic SDK: messages",
    place: { installed: "@anthropic-ai/sdk/resources/beta/messages/messages.d.ts" },
    subject: { type: "MessageCreateParams" },
    of: ["anthropic/anthropic-messages"],
    except: [
      {
        at: /^(?:temperature|top_p|top_k)$/,
        models: /claude-(?:3|(?:opus|sonnet|haiku)-4-[0-6])/,
        why:
          "the SDK describes the newest models; those up to 4.6 take them: https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-7"
      }
    ]
  },
  {
    name: "AWS SDK: Converse",
    place: { installed: "@aws-sdk/client-bedrock-runtime/dist-types/models/models_0.d.ts" },
    subject: { type: "ConverseRequest" },
    of: ["bedrock/bedrock-converse"]
  },
  {
    name: "ollama SDK: chat",
    place: { installed: "ollama/dist/browser.d.ts" },
    subject: { type: "ChatRequest" },
    of: ["ollama/ollama-chat"],
    except: [
      {
        at: /./,
        message: /is no field/,
        why: "the server ignores what it does not know: https://docs.ollama.com/api/chat"
      }
    ]
  },
  {
    name: "Gemini API: protocol buffers",
    place: { npm: "@google-ai/generativelanguage", version: "4.1.0", path: "build/protos/protos.json" },
    subject: { package: "google.ai.generativelanguage.v1beta", message: "GenerateContentRequest" },
    of: ["gemini/gemini-generate-content"],
    except: [
      { at: /thinkingLevel$/, why: "newer than the package: https://ai.google.dev/gemini-api/docs/thinking" }
    ]
  },
  {
    name: "Gemini API: OpenAPI from the discovery document",
    place: {
      repository: "tryAGI/Google_Generative_AI",
      commit: "be52b853d32f109ec58bfb05f13ef1b1468fa712",
      path: "src/libs/Google.Gemini/openapi.json"
    },
    subject: { pointer: "#/components/schemas/GenerateContentRequest" },
    of: ["gemini/gemini-generate-content"]
  },
  {
    name: "Vertex AI: protocol buffers, v1",
    place: { npm: "@google-cloud/aiplatform", version: "7.4.0", path: "build/protos/protos.json" },
    subject: { package: "google.cloud.aiplatform.v1", message: "GenerateContentRequest" },
    of: ["vertex/gemini-generate-content"]
  },
  {
    name: "Mistral OpenAPI",
    place: {
      repository: "mistralai/platform-docs-public",
      commit: "222f4ba9114f84ce9f2d718b9a12fbac1e527f4b",
      path: "openapi.yaml"
    },
    subject: post("/v1/chat/completions"),
    of: ["mistral/openai-chat"]
  },
  {
    name: "Cohere OpenAPI",
    place: {
      repository: "cohere-ai/cohere-developer-experience",
      commit: "e814c8a1822f3b144b3708fdff14c3df0281e961",
      path: "cohere-openapi.yaml"
    },
    subject: post("/v2/chat"),
    of: ["cohere/cohere-chat"]
  },
  {
    name: "Together OpenAPI",
    place: {
      repository: "togethercomputer/openapi",
      commit: "090263aa0fde006d9cd958bef52719958079bbc4",
      path: "openapi.yaml"
    },
    subject: post("/chat/completions"),
    of: ["together/openai-chat"],
    except: [
      {
        at: /^stream_options$/,
        why: "taken, as by all compatible hosts: https://docs.together.ai/docs/openai-api-compatibility"
      },
      { at: /^tool_choice\.|tool_calls\[\d+\]\.index$/, why: "the document describes calls of an answer there" },
      { at: /^messages\[\d+\]\.role$/, why: "told by the faults of the content" },
      {
        at: /^messages\[\d+\]\.reasoning$/,
        models: /glm-[5-9]/i,
        why: "wanted back for preserved thinking: https://docs.together.ai/docs/glm-5-quickstart"
      }
    ]
  },
  {
    name: "OpenRouter OpenAPI",
    place: {
      repository: "OpenRouterTeam/typescript-sdk",
      commit: "cb9393a896016155780a7fd04d3429ee2317b608",
      path: ".speakeasy/out.openapi.yaml"
    },
    subject: post("/chat/completions"),
    of: ["openrouter/openai-chat"],
    except: [
      {
        at: /^usage$/,
        why: "recorded requests with it are answered: https://openrouter.ai/docs/use-cases/usage-accounting"
      },
      {
        at: /^reasoning\.(?:max_tokens|enabled)$/,
        why: "documented: https://openrouter.ai/docs/use-cases/reasoning-tokens"
      }
    ]
  },
  {
    name: "Venice OpenAPI",
    place: {
      repository: "veniceai/api-docs",
      commit: "601b7bb19921f0e31bc805d51322085cd6fc4ac5",
      path: "swagger.yaml"
    },
    subject: post("/chat/completions"),
    of: ["venice/openai-chat"]
  },
  {
    name: "xAI OpenAPI: chat",
    place: {
      repository: "tryAGI/Xai",
      commit: "19ee5158acb2694fde72c01776715e72bbb7101f",
      path: "src/libs/Xai/openapi.yaml"
    },
    subject: post("/chat/completions"),
    of: ["xai/openai-chat"],
    except: [
      {
        at: /^(?:stream_options|max_completion_tokens|logprobs|top_logprobs)$/,
        why:
          "documented, and recorded requests with them are answered: https://docs.x.ai/docs/api-reference#chat-completions"
      },
      { at: /^messages\[\d+\]\.content$/, message: /is null/, why: "null beside calls, as OpenAI has it" },
      {
        at: /^reasoning_effort$/,
        message: /is "none"$/,
        models: /^grok-4\.3/,
        why: "documented for this model: https://docs.x.ai/developers/model-capabilities/text/reasoning"
      }
    ]
  },
  {
    name: "Moonshot OpenAPI",
    place: {
      repository: "tryAGI/Moonshot",
      commit: "389d1fc73d4837a00fd0dc05733292dec8abec48",
      path: "src/libs/Moonshot/openapi.yaml"
    },
    subject: post("/v1/chat/completions"),
    of: ["moonshot/openai-chat"],
    except: [
      {
        at: /^messages\[\d+\]\.(?:tool_calls|tool_call_id|reasoning_content|name)$/,
        why: "the document leaves them out: https://platform.kimi.ai/docs/guide/use-kimi-api-to-complete-tool-calls"
      },
      { at: /^messages\[\d+\]\.content$/, message: /is null/, why: "null beside calls, as OpenAI has it" }
    ]
  },
  {
    name: "DeepInfra OpenAPI",
    place: {
      repository: "tryAGI/DeepInfra",
      commit: "b682651980410aca37a650e4c3dd0058c88e33e9",
      path: "src/libs/DeepInfra/openapi.json"
    },
    subject: post("/v1/openai/chat/completions"),
    of: ["deepinfra/openai-chat"]
  },
  {
    name: "Fireworks OpenAPI",
    place: {
      repository: "api-evangelist/fireworks-ai",
      commit: "a9b2199389497d6be756f84f9edc563fb8e42710",
      path: "openapi/fireworks-ai-merged-openapi.yml"
    },
    subject: post("/v1/chat/completions"),
    of: ["fireworks/openai-chat"]
  },
  {
    name: "Hugging Face: JSON Schema of the task",
    place: {
      repository: "huggingface/huggingface.js",
      commit: "fe42e68017ffc76d09922ea8f9b38a6964345710",
      path: "packages/tasks/src/tasks/chat-completion/spec/input.json"
    },
    subject: { pointer: "#" },
    of: ["huggingface/openai-chat"],
    except: [
      {
        at: /^messages\[\d+\]\.(?:tool_calls|tool_call_id|reasoning_content)$/,
        why: "the router takes them: https://huggingface.co/docs/inference-providers/guides/function-calling"
      },
      { at: /^messages\[\d+\]\.content$/, message: /is null/, why: "null beside calls, as OpenAI has it" }
    ]
  },
  {
    name: "groq-sdk",
    place: { npm: "groq-sdk", version: "1.6.0", path: "resources/chat/completions.d.ts" },
    subject: { type: "ChatCompletionCreateParams" },
    of: ["groq/openai-chat"],
    except: [
      { at: /^stream_options$/, why: "documented: https://console.groq.com/docs/api-reference#chat-create" }
    ]
  },
  {
    name: "cerebras SDK",
    place: { npm: "@cerebras/cerebras_cloud_sdk", version: "1.91.0", path: "resources/chat/completions.d.ts" },
    subject: { type: "ChatCompletionCreateParams" },
    of: ["cerebras/openai-chat"]
  },
  {
    name: "perplexity SDK",
    place: { npm: "@perplexity-ai/perplexity_ai", version: "0.38.5", path: "dist/resources/chat/completions.d.ts" },
    subject: { type: "CompletionCreateParams" },
    of: ["perplexity/openai-chat"],
    except: [
      {
        at: /^tools\[\d+\]\.function\.parameters\./,
        why: "a JSON Schema: https://docs.perplexity.ai/api-reference/chat-completions-post"
      }
    ]
  },
  {
    name: "writer-sdk",
    place: { npm: "writer-sdk", version: "2.3.2", path: "resources/chat.d.ts" },
    subject: { type: "ChatChatParams" },
    of: ["writer/openai-chat"]
  },
  {
    name: "sambanova SDK",
    place: { npm: "sambanova", version: "1.4.0", path: "resources/chat/completions.d.ts" },
    subject: { type: "CompletionCreateParams" },
    of: ["sambanova/openai-chat"]
  },
  {
    name: "modelparams.dev",
    place: {
      repository: "mnfst/modelparams.dev",
      commit: "3e79c46eb87e09b506f9259d3d903896fdc6960b",
      path: "packages/modelparams-python/src/modelparams/_generated/catalog.json"
    },
    subject: { parameters: true },
    of: []
  }
]

const fileOf = (place: Specification["place"]): string =>
  "installed" in place
    ? installed(place.installed)
    : "repository" in place
    ? `${folder}${place.repository.replace("/", "+")}/${place.path}`
    : `${folder}npm/${place.npm.replace("/", "+")}@${place.version}/${place.path}`

/** Where a specification can be read by a person. */
const urlOf = (place: Specification["place"]): string =>
  "installed" in place
    ? `npm:${place.installed}`
    : "repository" in place
    ? `https://github.com/${place.repository}/blob/${place.commit}/${place.path}`
    : `https://www.npmjs.com/package/${place.npm}/v/${place.version}`

/** Fetches what is not there yet; gives the names of those that could not be had. */
export const fetchAll = async (): Promise<ReadonlyArray<string>> => {
  const failed: Array<string> = []
  for (const { name, place } of specifications) {
    const file = fileOf(place)
    if (existsSync(file) || "installed" in place) continue
    try {
      if ("repository" in place) {
        const answer = await fetch(
          `https://raw.githubusercontent.com/${place.repository}/${place.commit}/${place.path}`
        )
        if (!answer.ok) throw new Error(`status ${answer.status}`)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, await answer.text())
      } else {
        const into = file.slice(0, -place.path.length)
        mkdirSync(into, { recursive: true })
        const packed = execFileSync("npm", [
          "pack",
          "--silent",
          "--pack-destination",
          into,
          `${place.npm}@${place.version}`
        ], {
          encoding: "utf8"
        }).trim()
        execFileSync("tar", ["xzf", `${into}${packed}`, "-C", into, "--strip-components=1"])
      }
    } catch (error) {
      failed.push(`${name}: ${String(error)}`)
    }
  }
  return failed
}

/** Validators of a provider's specifications, and the names of those left out because their document is not there. */
export interface Loaded {
  readonly validators: (provider: string, wire: string, model: string) => ReadonlyArray<Validator>
  readonly leftOut: ReadonlyArray<string>
}

/** Reads every specification whose document is there. */
export const load = (): Loaded => {
  const here = specifications.filter(({ place }) => existsSync(fileOf(place)))
  const typed = here.flatMap(({ place, subject }) =>
    "type" in subject ? [{ file: fileOf(place), name: subject.type }] : []
  )
  const ofTypes = typed.length === 0 ? undefined : checker(schemasOf(typed))
  const documents = new Map<string, (schema: unknown) => Check>()
  const checks = new Map<Specification, Check>()
  for (const specification of here) {
    const { place, subject } = specification
    const file = fileOf(place)
    if ("parameters" in subject) continue
    if ("type" in subject) {
      const name = nameOf({ file, name: subject.type })
      checks.set(specification, ofTypes!({ $ref: `#/definitions/${name}` }))
      continue
    }
    const key = "package" in subject ? `${file} ${subject.package}` : file
    let read = documents.get(key)
    if (read === undefined) {
      const text = readFileSync(file, "utf8")
      const document = fieldsOf(file.endsWith(".json") ? JSON.parse(text) : parse(text, { logLevel: "silent" }))
      read = checker("package" in subject ? schemasOfProtos(document, subject.package) : document)
      documents.set(key, read)
    }
    checks.set(
      specification,
      read({ $ref: "package" in subject ? `#/definitions/${subject.message}` : subject.pointer })
    )
  }
  const validatorOf = (specification: Specification): Validator => {
    const check = checks.get(specification)!
    const source = urlOf(specification.place)
    return {
      name: specification.name,
      check: (sent: Sent) => {
        const out: Array<Finding> = []
        check(bodyFor(specification, sent), "", out)
        return out
          .filter(({ at, message }) =>
            !(specification.except ?? []).some((one) =>
              one.at.test(at) && (one.message?.test(message) ?? true) && (one.models?.test(sent.model) ?? true)
            )
          )
          .map((finding) => ({ ...finding, source }))
      }
    }
  }
  const catalogue = specifications.find(({ subject }) => "parameters" in subject)!
  const parameters = readParameters(fileOf(catalogue.place), urlOf(catalogue.place))
  const all = here.filter((one) => checks.has(one)).map((specification) => ({
    specification,
    validator: validatorOf(specification)
  }))
  return {
    validators: (provider, wire, model) => [
      ...all.filter(({ specification }) => specification.of.includes(`${provider}/${wire}`)).map((one) =>
        one.validator
      ),
      ...parameters(provider, model)
    ],
    leftOut: specifications.filter((one) => !here.includes(one)).map(({ name }) => name)
  }
}

/** The body as the specification has it: with what it puts in the path, such as the model. */
const bodyFor = ({ subject }: Specification, { body, model }: Sent): Fields =>
  "package" in subject ? { model, ...body } : "type" in subject && subject.type === "ConverseRequest"
    ? { modelId: model, ...body }
    : body
