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
import * as LlmError from "../LlmError.ts"
import type { Media } from "../Message.ts"
import * as Transport from "../transport/Transport.ts"
import * as Anthropic from "./Anthropic.ts"
import { readBaseUrl } from "./baseUrl.ts"
import * as Credentials from "./Credentials.ts"
import * as Gemini from "./Gemini.ts"
import * as OpenAi from "./OpenAi.ts"
import type { Definition, Options } from "./Provider.ts"

/**
 * A file to upload.
 *
 * @category models
 * @since 0.1.0
 */
export interface Upload {
  readonly bytes: Uint8Array
  /** Such as `application/pdf`. */
  readonly mediaType: string
  readonly filename: string
}

/**
 * A file that the provider keeps.
 *
 * @category models
 * @since 0.1.0
 */
export type StoredFile = Extract<Media, { readonly type: "file" }>

/**
 * What a provider does with files.
 *
 * @category models
 * @since 0.1.0
 */
export interface Files {
  readonly upload: (file: Upload) => Effect.Effect<StoredFile, LlmError.LlmError>
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
  readonly removeUrl: (baseUrl: string, fileId: string) => string
  /** The id of the file in the answer. */
  readonly read: (answer: unknown) => unknown
}

const makeOf =
  (spelling: Spelling) =>
  (options: Pick<Options, "apiKey" | "baseUrl" | "headers" | "timeouts"> = {}): Effect.Effect<
    Files,
    never,
    HttpClient.HttpClient
  > =>
    Effect.map(HttpClient.HttpClient, (client): Files => {
      const { definition } = spelling
      const transport = Transport.make(client)
      const base = readBaseUrl(definition, options.baseUrl)
      const failure = (reason: LlmError.Reason) =>
        Effect.fail(
          new LlmError.LlmError({ provider: definition.id, model: "", operation: "files", reason, attempts: 1 })
        )
      const send = (
        method: "POST" | "DELETE",
        url: string,
        body?: Transport.JsonCall["body"],
        headers?: { readonly [name: string]: string }
      ): Effect.Effect<unknown, LlmError.LlmError> => {
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
          const value = Redacted.value(redacted).trim()
          const auth = definition.auth.type === "header"
            ? { [definition.auth.name]: value }
            : { authorization: `Bearer ${value}` }
          return transport.json({
            method,
            provider: definition.id,
            model: "",
            operation: "files",
            url,
            headers: { ...definition.headers, ...spelling.headers, ...options.headers, ...headers, ...auth },
            body,
            secrets: [value],
            timeouts: options.timeouts ?? {}
          })
        })
      }
      const upload: Files["upload"] = (file) => {
        if ("_tag" in base) return failure(base)
        const { body, headers, url } = spelling.upload(base.url, file)
        return Effect.flatMap(send("POST", base.withQuery(url), body, headers), (answer) => {
          const fileId = spelling.read(answer)
          return typeof fileId === "string" && fileId !== ""
            ? Effect.succeed<StoredFile>({ type: "file", fileId, mediaType: file.mediaType })
            : failure(new LlmError.ResponseParse({ message: "The answer to the upload names no file." }))
        })
      }
      const remove: Files["remove"] = (file) =>
        "_tag" in base
          ? failure(base)
          : Effect.asVoid(send("DELETE", base.withQuery(spelling.removeUrl(base.url, file.fileId))))
      return {
        upload,
        remove,
        use: (file) => Effect.acquireRelease(upload(file), (stored) => Effect.ignore(remove(stored)))
      }
    })

const formOf = (file: Upload, fields: { readonly [name: string]: string } = {}): FormData => {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append("file", new Blob([file.bytes.slice()], { type: file.mediaType }), file.filename)
  return form
}

const field = (name: string) => (answer: unknown): unknown =>
  (answer as { readonly [name: string]: unknown } | null | undefined)?.[name]

/**
 * Files at Anthropic. Requests that use one need the same beta feature:
 * `providerOptions: { anthropic: { betas: ["files-api-2025-04-14"] } }`.
 *
 * @see https://platform.claude.com/docs/en/build-with-claude/files
 * @category constructors
 * @since 0.1.0
 */
export const anthropic = makeOf({
  definition: Anthropic.definition,
  headers: { "anthropic-beta": "files-api-2025-04-14" },
  upload: (baseUrl, file) => ({ url: `${baseUrl}/files`, body: formOf(file) }),
  removeUrl: (baseUrl, fileId) => `${baseUrl}/files/${encodeURIComponent(fileId)}`,
  read: field("id")
})

/**
 * Files at OpenAI, uploaded for use in requests (`purpose: "user_data"`).
 *
 * @see https://platform.openai.com/docs/api-reference/files
 * @category constructors
 * @since 0.1.0
 */
export const openAi = makeOf({
  definition: OpenAi.definition,
  upload: (baseUrl, file) => ({ url: `${baseUrl}/files`, body: formOf(file, { purpose: "user_data" }) }),
  removeUrl: (baseUrl, fileId) => `${baseUrl}/files/${encodeURIComponent(fileId)}`,
  read: field("id")
})

/**
 * Files at Gemini; the provider deletes them after 48 hours.
 *
 * @see https://ai.google.dev/gemini-api/docs/files
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
      headers: { "x-goog-upload-protocol": "raw", "x-goog-upload-file-name": encodeURIComponent(file.filename) }
    }
  },
  removeUrl: (baseUrl, fileId) => `${baseUrl}/${fileId}`,
  read: (answer) => field("name")(field("file")(answer))
})
