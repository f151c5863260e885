/**
 * Files kept by a provider: upload once, use in many requests, delete.
 *
 * For Anthropic, OpenAI and Gemini. An upload gives a `Media` value of type `file`, to put into `Message.file` or
 * `Message.image`; it is valid only at the provider that keeps it. Nothing is listed or cleaned up here: `use` deletes
 * a file when its scope ends.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { isBelow, segment } from "../address/paths.ts"
import * as LlmError from "../LlmError.ts"
import type { Issue } from "../LlmRequest.ts"
import type { Media } from "../Message.ts"
import { nonEmpty } from "../protocol/Probe.ts"
import { optionsIssue } from "../service/checked.ts"
import * as Transport from "../transport/Transport.ts"
import { credential } from "../validation/credential.ts"
import { headerIssue, sentHeaders } from "../validation/headers.ts"
import { mediaType } from "../validation/media.ts"
import { fields, filledText, reading, rooted, that } from "../validation/values.ts"
import * as Anthropic from "./Anthropic.ts"
import { readBaseUrl } from "./baseUrl.ts"
import * as Credentials from "./Credentials.ts"
import * as Gemini from "./Gemini.ts"
import * as OpenAi from "./OpenAi.ts"
import { issueOf, pathName } from "./options.ts"
import type { Definition, Options } from "./Provider.ts"

/**
 * A file to upload.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Upload {
  /** The whole file; it is sent at once. */
  readonly bytes: Uint8Array
  /** Such as `application/pdf`. */
  readonly mediaType: string
  /** Name under which the provider lists it. */
  readonly filename: string
}

/**
 * A file that the provider keeps.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export type StoredFile = Extract<Media, { readonly type: "file" }>

/**
 * What a provider does with files.
 *
 * @stability experimental
 * @category models
 * @since 0.1.0
 */
export interface Files {
  /** Sends a file and gives what messages name it by. */
  readonly upload: (file: Upload) => Effect.Effect<StoredFile, LlmError.LlmError>
  /** Deletes it at the provider. */
  readonly remove: (file: StoredFile) => Effect.Effect<void, LlmError.LlmError>
  /** Uploads a file and deletes it when the scope ends; a failed deletion is ignored. */
  readonly use: (file: Upload) => Effect.Effect<StoredFile, LlmError.LlmError, Scope.Scope>
}

/** How one provider spells the requests. */
interface Spelling {
  readonly definition: Definition
  readonly headers?: { readonly [name: string]: string } | undefined
  readonly upload: (baseUrl: string, file: Upload) => {
    readonly url: string
    readonly body: NonNullable<Transport.JsonCall["body"]>
    readonly headers?: { readonly [name: string]: string } | undefined
  }
  /** Where a file is, below the base URL; `undefined` for what is no id of a file. */
  readonly path: (fileId: string) => string | undefined
  /** The id of the file in the answer. */
  readonly read: (answer: unknown) => unknown
}

const aFile = fields({
  bytes: that((value) => value instanceof Uint8Array, "Must be a Uint8Array."),
  mediaType,
  filename: filledText
}, "Must be { bytes, mediaType, filename }.")

const makeOf =
  (spelling: Spelling) =>
  (options: Pick<Options, "apiKey" | "baseUrl" | "headers" | "timeouts"> = {}): Effect.Effect<
    Files,
    LlmError.LlmError,
    HttpClient.HttpClient
  > =>
    Effect.flatMap(HttpClient.HttpClient, (client): Effect.Effect<Files, LlmError.LlmError> => {
      const { definition } = spelling
      const transport = Transport.make(client)
      const failure = (reason: LlmError.Reason) =>
        Effect.fail(
          new LlmError.LlmError({ provider: definition.id, model: "", operation: "files", reason, attempts: 1 })
        )
      const misconfigured = (field: string, message: string) =>
        failure(new LlmError.Configuration({ field, message: `${field}: ${message}` }))
      const invalid = ({ field, message }: Issue) =>
        failure(new LlmError.Validation({ field, message: `${field}: ${message}` }))
      const wrong = issueOf(options)
      if (wrong !== undefined) return misconfigured(wrong.field, wrong.message)
      const base = readBaseUrl(definition, options.baseUrl)
      if ("_tag" in base) return failure(base)
      const send = <A>(
        method: "POST" | "DELETE",
        url: string,
        reading: Transport.JsonReading<A>,
        body?: Transport.JsonCall["body"],
        headers?: { readonly [name: string]: string }
      ): Effect.Effect<A, LlmError.LlmError> => {
        const key = Credentials.parts(options.apiKey).get
        if (key === undefined) {
          return failure(
            new LlmError.Configuration({
              field: "apiKey",
              message: `No API key for ${definition.name}: give apiKey, such as the value of ${
                definition.env.apiKey[0]
              }.`
            })
          )
        }
        return Effect.flatMap(key, (redacted) => {
          const issue = optionsIssue(credential, redacted)
          if (issue !== undefined) return misconfigured("apiKey", issue.message)
          const value = Redacted.value(redacted).trim()
          const auth = definition.auth.type === "header"
            ? { [definition.auth.name]: value }
            : { authorization: `Bearer ${value}` }
          const sent = sentHeaders({
            ...definition.headers,
            ...spelling.headers,
            ...options.headers,
            ...headers,
            ...auth
          })
          const unfit = headerIssue(sent)
          if (unfit !== undefined) return misconfigured(`headers${unfit.field}`, unfit.message)
          return transport.json({
            method,
            provider: definition.id,
            model: "",
            operation: "files",
            url: base.withQuery(url),
            headers: sent,
            body,
            secrets: [value],
            timeouts: options.timeouts ?? {}
          }, reading)
        })
      }
      const upload: Files["upload"] = (file) =>
        Effect.suspend(() => {
          const issue = rooted(reading(aFile)(file), "file")
          if (issue !== undefined) return invalid(issue)
          const { body, headers, url } = spelling.upload(base.url, file)
          const stored: Transport.JsonReading<StoredFile> = {
            read: (answer) => {
              const fileId = nonEmpty(spelling.read(answer))
              return fileId === undefined || spelling.path(fileId) === undefined
                ? undefined
                : { type: "file", fileId, mediaType: file.mediaType }
            },
            nothing: "The answer to the upload names no file."
          }
          return send("POST", url, stored, body, headers)
        })
      const remove: Files["remove"] = (file) =>
        Effect.suspend(() => {
          const issue = rooted(reading(fields({ fileId: pathName }))(file), "file")
          if (issue !== undefined) return invalid(issue)
          const path = spelling.path(file.fileId)
          const url = `${base.url}/${path}`
          return path === undefined || !isBelow(base, url)
            ? invalid({ field: "fileId", message: `Is not the id of a file at ${definition.name}.` })
            : Effect.asVoid(send("DELETE", url, removed))
        })
      return Effect.succeed({
        upload,
        remove,
        use: (file) => Effect.acquireRelease(upload(file), (stored) => Effect.ignore(remove(stored)))
      })
    })

/** What a deletion answers does not matter. */
const removed: Transport.JsonReading<true> = { read: () => true, nothing: "" }

const formOf = (file: Upload, fields: { readonly [name: string]: string } = {}): FormData => {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append("file", new Blob([file.bytes.slice()], { type: file.mediaType }), file.filename)
  return form
}

/** Ids of files have no slashes. */
const byId = (fileId: string): string | undefined => {
  const id = segment(fileId)
  return id === undefined || fileId.includes("/") ? undefined : `files/${id}`
}

const field = (name: string) => (answer: unknown): unknown =>
  (answer as { readonly [name: string]: unknown } | null | undefined)?.[name]

/**
 * Files at Anthropic. Requests that use one need the same beta feature:
 * `providerOptions: { anthropic: { betas: ["files-api-2025-04-14"] } }`.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/files
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const anthropic = makeOf({
  definition: Anthropic.definition,
  headers: { "anthropic-beta": "files-api-2025-04-14" },
  upload: (baseUrl, file) => ({ url: `${baseUrl}/files`, body: formOf(file) }),
  path: byId,
  read: field("id")
})

/**
 * Files at OpenAI, uploaded for use in requests (`purpose: "user_data"`).
 *
 * @see https://platform.openai.com/docs/api-reference/files
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const openAi = makeOf({
  definition: OpenAi.definition,
  upload: (baseUrl, file) => ({ url: `${baseUrl}/files`, body: formOf(file, { purpose: "user_data" }) }),
  path: byId,
  read: field("id")
})

/**
 * Files at Gemini; the provider deletes them after 48 hours.
 *
 * @see https://ai.google.dev/gemini-api/docs/files
 * @stability experimental
 * @category constructors
 * @since 0.1.0
 */
export const gemini = makeOf({
  definition: Gemini.definition,
  upload: (baseUrl, file) => {
    const url = new URL(baseUrl)
    return {
      url: `${url.origin}/upload${url.pathname}/files`,
      body: { bytes: file.bytes, mediaType: file.mediaType },
      headers: {
        "x-goog-upload-protocol": "raw",
        "x-goog-upload-file-name": encodeURIComponent(file.filename.toWellFormed())
      }
    }
  },
  // Ids are whole names, `files/…`.
  path: (fileId) => fileId.startsWith("files/") ? byId(fileId.slice("files/".length)) : undefined,
  read: (answer) => field("name")(field("file")(answer))
})
