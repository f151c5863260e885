/**
 * The tools of a server as tools of ours: named, allowed, asked for where they have to be.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { digest } from "../../agent/run/digest.ts"
import * as LlmTool from "../../LlmTool.ts"
import type { Json, JsonObject } from "../../Message.ts"
import { cap } from "../../transport/secrets/Redaction.ts"
import type { Link } from "./connection.ts"
import type { Bounds } from "./limits.ts"
import type { Read } from "./lists.ts"
import { nameOf } from "./names.ts"
import type { ServerOptions, ToolInfo } from "./options.ts"
import { headersFit } from "./paramHeaders.ts"
import { isObject } from "./values.ts"

/** A tool of a server. @stability experimental @category models @since 0.1.0 */
export interface Offered {
  readonly info: ToolInfo
  /** The name under which it is offered. */
  readonly name: string
  /** The definition as the SDK wants it with a call. */
  readonly definition: { readonly [name: string]: unknown }
  /** Whether a call may be repeated whose answer was lost. */
  readonly repeatable: boolean
}

/** UTF-8 bytes of a description. */
const maxDescription = 16 * 1024

/** After its own limit a call still may have to be given back. */
const grace = 30_000

const infoOf = (server: string, entry: Read["entries"][number]): ToolInfo => {
  const { description, inputSchema, name, outputSchema, title } = entry
  const hints = isObject(entry.annotations) ? entry.annotations : {}
  return {
    server,
    name: name as string,
    ...(typeof title === "string" ? { title } : undefined),
    ...(typeof description === "string" ? { description: cap(description, maxDescription) } : undefined),
    parameters: inputSchema as JsonObject,
    ...(isObject(outputSchema) ? { output: outputSchema as JsonObject } : undefined),
    readOnly: hints.readOnlyHint === true,
    idempotent: hints.idempotentHint === true,
    destructive: hints.destructiveHint !== false && hints.readOnlyHint !== true,
    definition: digest([name, title ?? "", description ?? "", inputSchema ?? {}, outputSchema ?? {}, hints] as Json)
  }
}

const allows = ({ allow }: ServerOptions, info: ToolInfo): boolean => {
  if (allow === undefined) return true
  if (typeof allow !== "function") return allow.includes(info.name)
  try {
    return allow(info) === true
  } catch {
    return false
  }
}

/** The tools of a list that are allowed, each name once, in the order of their names. @stability experimental @category reading @since 0.1.0 */
export const offeredOf = (
  server: string,
  options: ServerOptions,
  names: { readonly prefix: string; readonly marked: boolean },
  entries: Read["entries"],
  link: Pick<Link, "era" | "isHttp">
): { readonly items: ReadonlyArray<Offered>; readonly problems: ReadonlyArray<string> } => {
  const problems: Array<string> = []
  const byName = new Map<string, Offered>()
  for (const entry of entries) {
    const info = infoOf(server, entry)
    if (!allows(options, info)) continue
    const shown = JSON.stringify(cap(info.name, 128))
    if (link.isHttp && link.era === "modern" && !headersFit(info.parameters)) {
      problems.push(`The tool ${shown} was left out: what it says of headers is wrong.`)
      continue
    }
    const name = nameOf(server, names.prefix, names.marked, info.name)
    if (byName.has(name)) {
      problems.push(`The tool ${shown} was left out: there is another one of that name.`)
      continue
    }
    // The result is held to its schema here; the SDK would compile it.
    const { outputSchema: _, ...definition } = entry
    const trusted = options.trustAnnotations !== false
    byName.set(name, { info, name, definition, repeatable: trusted && (info.idempotent || info.readOnly) })
  }
  const items = [...byName.values()].toSorted((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  return { items, problems: problems.slice(0, 16) }
}

/** Which definitions were agreed to. @stability experimental @category models @since 0.1.0 */
export interface Agreed {
  /** Whether a tool is what it was. */
  readonly holds: (info: ToolInfo) => boolean
  /** Notes what is seen for the first time. */
  readonly note: (infos: ReadonlyArray<ToolInfo>) => void
  readonly accept: (info: ToolInfo) => void
  readonly all: () => Readonly<Record<string, string>>
}

/** Names that are kept in mind of a server that changes them all the time; those after them ask. */
const maxNames = 4096

/** Keeps in mind what was agreed to. @stability experimental @category constructors @since 0.1.0 */
export const agreed = ({ definitions }: ServerOptions): Agreed => {
  const known = new Map<string, string>(Object.entries(definitions ?? {}))
  return {
    holds: ({ definition, name }) => known.get(name) === definition,
    note: (infos) => {
      if (definitions !== undefined) return
      for (const { definition, name } of infos) {
        if (!known.has(name) && known.size < maxNames) known.set(name, definition)
      }
    },
    accept: ({ definition, name }) => void known.set(name, definition),
    all: () => Object.fromEntries(known)
  }
}

/** A tool of a server as one of ours. @stability experimental @category constructors @since 0.1.0 */
export const toolOf = (
  { info, name, repeatable }: Offered,
  options: ServerOptions,
  bounds: Bounds,
  changed: Effect.Effect<boolean>
): LlmTool.FunctionTool => {
  const { needsApproval = false } = options
  const description = info.description ?? info.title
  return LlmTool.fromJsonSchema(name, {
    ...(description === undefined ? undefined : { description }),
    parameters: info.parameters,
    failureMode: "return",
    needsApproval: (params) =>
      Effect.map(
        changed,
        (changed) => changed || (typeof needsApproval === "function" ? needsApproval(info, params) : needsApproval)
      ),
    ...(repeatable ? { idempotent: true } : undefined),
    timeout: Duration.millis(bounds.call + grace),
    maxResultBytes: bounds.resultBytes
  }) as LlmTool.FunctionTool
}
