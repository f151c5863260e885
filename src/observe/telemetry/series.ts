/**
 * Attributes of metrics, made once per model, and the names in them.
 *
 * @since 0.1.0
 */
import type { ServiceInfo } from "../../LlmService.ts"
import { ShownNames } from "../../stream/shownNames.ts"

/** Attributes of one series. */
export type Attributes = Readonly<Record<string, string>>

/** Attributes of the successful calls to one model; made once, because metrics know series by them. */
export interface ModelAttributes {
  readonly request: Attributes
  readonly response: Attributes
  /** Of counters of tokens: no wire says of all tokens what they are of. */
  readonly usage: Attributes
  readonly input: Attributes
  readonly output: Attributes
}

/** Models asked for, by provider, that have series of their own; a tenant may choose the model. */
const maxModels = 256
/** Names under which one of them answers: dated snapshots, what a router picked. Of a router with more, the rest share one. */
const maxAnswers = 64

/**
 * Our ids where the conventions have another name, which must be used then:
 * https://github.com/open-telemetry/semantic-conventions-genai/blob/v0.1.0/docs/registry/attributes/gen-ai.md
 */
const conventionalNames: { readonly [id: string]: string } = {
  azure: "azure.ai.openai",
  bedrock: "aws.bedrock",
  gemini: "gcp.gemini",
  mistral: "mistral_ai",
  moonshot: "moonshot_ai",
  vertex: "gcp.vertex_ai",
  "vertex-anthropic": "gcp.vertex_ai",
  xai: "x_ai"
}

/**
 * The name of a provider in telemetry.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const providerName = (id: string): string => Object.hasOwn(conventionalNames, id) ? conventionalNames[id]! : id

/**
 * Where a service sends its requests, as attributes.
 *
 * @stability stable
 * @category accessors
 * @since 0.1.0
 */
export const serverOf = ({ origin }: ServiceInfo): { readonly address: string; readonly port: number } | undefined => {
  if (origin === undefined || !URL.canParse(origin)) return undefined
  const { hostname, port, protocol } = new URL(origin)
  if (hostname === "") return undefined
  return { address: hostname, port: port === "" ? (protocol === "http:" ? 80 : 443) : Number(port) }
}

interface Requested {
  readonly request: Attributes
  readonly names: ShownNames
  readonly answers: Map<string, ModelAttributes>
}

/**
 * The series of one service.
 *
 * @stability stable
 * @category models
 * @since 0.1.0
 */
export class Series {
  private readonly base: Attributes
  private readonly names = new ShownNames(maxModels)
  private readonly models = new Map<string, Requested>()
  private last:
    | { readonly requested: string; readonly answered: string; readonly attributes: ModelAttributes }
    | undefined

  constructor(info: ServiceInfo) {
    // Without the server: its port would have to be a number, and attributes of Effect's metrics are texts.
    this.base = { "gen_ai.operation.name": "chat", "gen_ai.provider.name": providerName(info.provider) }
  }

  /** Most calls are for the model of the call before. */
  of(requested: string, answered: string): ModelAttributes {
    const { last } = this
    if (last !== undefined && last.requested === requested && last.answered === answered) return last.attributes
    const attributes = this.find(requested, answered)
    this.last = { requested, answered, attributes }
    return attributes
  }

  private find(requested: string, answered: string): ModelAttributes {
    const { answers, names, request } = this.requested(this.names.of(requested))
    const name = names.of(answered)
    let attributes = answers.get(name)
    if (attributes === undefined) {
      const response = { ...request, "gen_ai.response.model": name }
      attributes = {
        request,
        response,
        usage: { ...response, "gen_ai.token.modality": "unknown" },
        input: { ...request, "gen_ai.token.type": "input" },
        output: { ...request, "gen_ai.token.type": "output" }
      }
      answers.set(name, attributes)
    }
    return attributes
  }

  private requested(name: string): Requested {
    let found = this.models.get(name)
    if (found === undefined) {
      found = {
        request: { ...this.base, "gen_ai.request.model": name },
        names: new ShownNames(maxAnswers),
        answers: new Map()
      }
      this.models.set(name, found)
    }
    return found
  }
}
