/**
 * Reads a provider's options from its usual environment variables, as `Config` sees them.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Option from "effect/Option"
import * as Rec from "effect/Record"
import * as Redacted from "effect/Redacted"
import type { Definition, Options } from "./definition.ts"

const isSet = (key: Option.Option<Redacted.Redacted<string>>): key is Option.Some<Redacted.Redacted<string>> =>
  Option.isSome(key) && Redacted.value(key.value).trim() !== ""

const firstOf = (names: ReadonlyArray<string>): Config.Config<Redacted.Redacted<string> | undefined> =>
  Config.map(
    Config.all(names.map((name) => Config.option(Config.Redacted(name)))),
    (found) => found.find(isSet)?.value
  )

const optionalText = (name: string | undefined): Config.Config<string | undefined> =>
  name === undefined
    ? Config.succeed(undefined)
    : Config.map(Config.option(Config.String(name)), (found) => Option.getOrUndefined(found)?.trim() || undefined)

/**
 * The options that the environment gives; blank variables count as unset.
 *
 * @stability stable
 * @category options
 * @since 0.1.0
 */
export const environment = (definition: Definition): Config.Config<Options> =>
  Config.all({
    apiKey: firstOf(definition.env.apiKey),
    baseUrl: Config.map(
      Config.all([optionalText(definition.env.baseUrl), optionalText(definition.env.host)]),
      ([baseUrl, host]) => baseUrl ?? host
    ),
    model: optionalText(definition.env.model),
    headers: Config.map(
      Config.all(Rec.map(definition.env.headers ?? {}, optionalText)),
      (headers) => Rec.filter(headers, (value) => value !== undefined) as { readonly [name: string]: string }
    )
  })
