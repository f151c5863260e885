/**
 * What is wrong between the parts of a configuration: names that nobody has, routes that go round, options that belong to something else.
 *
 * It reads the configuration as it was given, so that one mistake does not hide another: what has no shape to be looked at is passed over,
 * because the schemas tell that.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type RequestOptions, validate } from "../LlmRequest.ts"
import { isProviderId } from "../provider/Llm.ts"
import { holdsCredential } from "../validation/credentialNames.ts"
import * as OwnOptions from "./ownOptions.ts"
import * as Problems from "./problems.ts"
import { type PolicyName, policyNames } from "./schema.ts"
import { namesOf } from "./stack.ts"

type Path = ReadonlyArray<PropertyKey>
type Table = { readonly [key: string]: unknown }

const tableOf = (value: unknown): Table | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value as Table : undefined

const field = (table: Table, name: string): unknown => Object.hasOwn(table, name) ? table[name] : undefined

const listOf = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []

const entriesOf = (value: unknown): ReadonlyArray<readonly [string, Table]> =>
  Object.entries(tableOf(value) ?? {}).flatMap(([name, inner]) => {
    const table = tableOf(inner)
    return table === undefined ? [] : [[name, table] as const]
  })

/** Those that a list of candidates names, each with the table that describes it. */
const candidatesOf = (
  value: unknown
): ReadonlyArray<{ readonly at: number; readonly name: string; readonly said: Table }> =>
  listOf(value).flatMap((each, at) => {
    if (typeof each === "string") return [{ at, name: each, said: {} }]
    const said = tableOf(each)
    const name = said === undefined ? undefined : field(said, "name")
    return typeof name === "string" ? [{ at, name, said: said! }] : []
  })

/** Routes of routes: each is a service around services. */
const maxNested = 16

class Reading {
  readonly found: Array<Problems.Found> = []
  private readonly instances: ReadonlyArray<readonly [string, Table]>
  private readonly routes: ReadonlyArray<readonly [string, Table]>
  private readonly instanceNames: ReadonlySet<string>
  private readonly names: ReadonlySet<string>
  private readonly hasShape: (path: Path) => boolean
  private readonly config: Table

  constructor(config: Table, hasShape: (path: Path) => boolean) {
    this.config = config
    this.hasShape = hasShape
    this.instances = entriesOf(field(config, "instances"))
    this.routes = entriesOf(field(config, "routes"))
    this.instanceNames = new Set(Object.keys(tableOf(field(config, "instances")) ?? {}))
    this.names = new Set([...this.instanceNames, ...Object.keys(tableOf(field(config, "routes")) ?? {})])
  }

  read(): void {
    const first = field(this.config, "default")
    if (typeof first === "string" && first !== "") this.reference(["default"], first, this.names, "instance or route")
    for (const [name, instance] of this.instances) this.instance(name, instance, ["instances", name])
    for (const [name, route] of this.routes) this.route(name, route, ["routes", name])
    this.circles()
  }

  private add(path: Path, message: string, suggestion?: string): void {
    this.found.push({ path, message, suggestion })
  }

  private reference(path: Path, name: string, known: ReadonlySet<string>, what: string): boolean {
    if (known.has(name)) return true
    this.found.push(Problems.ofName(path, `There is no ${what} ${Problems.quoted(name)}`, name, [...known]))
    return false
  }

  // ---------------------------------------------------------------------------
  // Instances
  // ---------------------------------------------------------------------------

  private instance(name: string, instance: Table, path: Path): void {
    this.provider(instance, path)
    const given = field(instance, "baseUrl")
    const url = typeof given === "string" ? URL.parse(given) : null
    if (url !== null && (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")) {
      this.add([...path, "baseUrl"], "A base URL has no user, password, query or fragment.")
    }
    for (const header of Object.keys(tableOf(field(instance, "headers")) ?? {})) {
      if (holdsCredential(header)) this.add([...path, "headers", header], Problems.noSecrets, "apiKeyEnv")
    }
    this.defaults(instance, [...path, "defaults"])
    this.keySource(instance, path, false)
    const pool = tableOf(field(instance, "keyPool"))
    for (const [at, key] of listOf(pool === undefined ? undefined : field(pool, "keys")).entries()) {
      const table = tableOf(key)
      if (table !== undefined) this.keySource(table, [...path, "keyPool", "keys", at], true)
    }
    const seen = new Set<string>()
    for (const [at, other] of listOf(field(instance, "fallback")).entries()) {
      const place = [...path, "fallback", at]
      if (typeof other !== "string" || other === "") continue
      if (other === name) this.add(place, "An instance cannot be its own fallback.")
      else if (this.reference(place, other, this.instanceNames, "instance") && seen.has(other)) {
        this.add(place, `${Problems.quoted(other)} is there twice.`)
      }
      seen.add(other)
    }
    this.stack(instance, path)
    this.order("instance", instance, path)
  }

  /** The provider, and what only it has. */
  private provider(instance: Table, path: Path): void {
    const provider = field(instance, "provider")
    const options = tableOf(field(instance, "options"))
    if (options === undefined || typeof provider !== "string" || !isProviderId(provider)) return
    const { schema } = OwnOptions.of(provider)
    const decoded = Schema.decodeUnknownResult(schema, { onExcessProperty: "error", errors: "all" })(options)
    if (Result.isFailure(decoded)) {
      this.found.push(...Problems.ofIssue(decoded.failure.issue, options, [...path, "options"]))
    }
  }

  /** Each of the defaults that cannot be, not the first alone. */
  private defaults(instance: Table, path: Path): void {
    let left = tableOf(field(instance, "defaults"))
    if (left === undefined || !this.hasShape(path)) return
    for (let most = Object.keys(left).length; most > 0; most--) {
      const wrong = validate({ ...left as RequestOptions, prompt: "-" })
      if (wrong === undefined) return
      const steps = wrong.field.split(".")
      this.add([...path, ...steps], wrong.message)
      const { [steps[0]!.replace(/\[.*$/, "")]: _, ...rest }: Table = left
      left = rest
    }
  }

  private keySource(table: Table, path: Path, isNeeded: boolean): void {
    const sources = ["apiKeyEnv", "apiKeyFile", "apiKey"].filter((name) => field(table, name) !== undefined)
    if (sources.length > 1) this.add(path, `Give one of ${sources.join(" and ")}, not both.`)
    if (sources.length === 0 && isNeeded) this.add(path, "Says of no key where it is: give apiKeyEnv or apiKeyFile.")
  }

  // ---------------------------------------------------------------------------
  // Routes
  // ---------------------------------------------------------------------------

  private route(name: string, route: Table, path: Path): void {
    if (this.instanceNames.has(name)) {
      this.add(path, `An instance is named ${Problems.quoted(name)} as well: give one of them another name.`)
    }
    const chosenBy = ["fallback", "balance", "hedge"].filter((each) => {
      const given = field(route, each)
      return given !== undefined && given !== false
    })
    if (chosenBy.length > 1) {
      this.add(
        path,
        `Has ${
          chosenBy.join(" and ")
        }, but one of them chooses. Make a route of what is to be chosen first, and name it in candidates.`
      )
    }
    const chooser = chosenBy[0] ?? "fallback"
    const candidates = this.candidates(name, route, path)
    if (chooser === "hedge" && candidates.length > 2) {
      this.add(
        [...path, "candidates"],
        "A hedge has two candidates: the one that is asked and the one that may overtake it."
      )
    }
    const goesOn = field(route, "continue")
    const listening = goesOn === undefined || goesOn === false ? [chooser] : [chooser, "continue"]
    this.described(candidates, listening, path)
    const goOn = tableOf(goesOn)
    if (goOn !== undefined) this.candidates(name, goOn, [...path, "continue"])
    this.stack(route, path)
    this.order("route", route, path)
  }

  /** What is said of candidates is for somebody. */
  private described(candidates: ReturnType<typeof candidatesOf>, listening: ReadonlyArray<string>, path: Path): void {
    for (const { at, said } of candidates) {
      for (const [option, of] of describing) {
        if (field(said, option) === undefined || of.some((each) => listening.includes(each))) continue
        this.add(
          [...path, "candidates", at, option],
          `Says nothing to ${listening.join(" or ")}: it belongs to ${of.join(" and ")}.`
        )
      }
    }
  }

  private candidates(name: string, table: Table, path: Path) {
    const candidates = candidatesOf(field(table, "candidates"))
    const seen = new Set<string>()
    for (const { at, name: other } of candidates) {
      const place = [...path, "candidates", at]
      if (other === "") continue
      if (other === name) this.add(place, "A route cannot be its own candidate.")
      else if (this.reference(place, other, this.names, "instance or route") && seen.has(other)) {
        this.add(place, `${Problems.quoted(other)} is there twice.`)
      }
      seen.add(other)
    }
    return candidates
  }

  /** Routes that lead back to themselves over others. */
  private circles(): void {
    const next = new Map(this.routes.map(([name, route]) => {
      const goOn = tableOf(field(route, "continue"))
      const all = [...candidatesOf(field(route, "candidates")), ...candidatesOf(goOn && field(goOn, "candidates"))]
      return [name, all.map((each) => each.name).filter((each) => each !== name)]
    }))
    const done = new Set<string>()
    const walk = (name: string, way: ReadonlyArray<string>): void => {
      const from = way.indexOf(name)
      if (from >= 0) {
        const round = [...way.slice(from), name].map(Problems.quoted).join(" to ")
        return this.add(["routes", name, "candidates"], `The routes go round: ${round}.`)
      }
      if (done.has(name)) return
      if (way.length === maxNested) {
        return this.add(["routes", name], `Routes are nested deeper than ${maxNested} levels here.`)
      }
      for (const other of next.get(name) ?? []) walk(other, [...way, name])
      done.add(name)
    }
    for (const name of next.keys()) walk(name, [])
  }

  // ---------------------------------------------------------------------------
  // Stacks
  // ---------------------------------------------------------------------------

  private stack(table: Table, path: Path): void {
    const breaker = tableOf(field(table, "circuitBreaker"))
    if (breaker !== undefined && field(breaker, "failures") !== undefined && field(breaker, "rate") !== undefined) {
      this.add([...path, "circuitBreaker"], "Give failures (in a row) or a rate, not both.")
    }
    const budget = tableOf(field(table, "budget"))
    const scope = budget === undefined ? undefined : field(budget, "scope")
    if (budget !== undefined && field(budget, "limits") !== undefined && (scope === undefined || scope === "all")) {
      this.add(
        [...path, "budget", "limits"],
        "Limits by name need a scope, such as \"user\" or \"label\", whose names they are."
      )
    }
  }

  /** An order names all policies there are, and no other. */
  private order(kind: "instance" | "route", table: Table, path: Path): void {
    const order = field(table, "order")
    if (!Array.isArray(order)) return
    const there = (name: PolicyName): boolean => {
      const given = field(table, name)
      return name === "retry" && kind === "instance" ? given !== false : given !== undefined && given !== false
    }
    const may = namesOf(kind)
    const seen = new Set<unknown>()
    for (const [at, name] of order.entries()) {
      if (seen.has(name)) this.add([...path, "order", at], `${Problems.quoted(String(name))} is there twice.`)
      seen.add(name)
      if (!(policyNames as ReadonlyArray<unknown>).includes(name)) continue
      if (!may.includes(name)) {
        this.add(
          [...path, "order", at],
          kind === "instance"
            ? `The ${name} of an instance stands around its fallback, and a route can order it.`
            : `The ${name} of a route is no part of its order.`
        )
      } else if (!there(name)) this.add([...path, "order", at], `There is no ${name} here to order.`)
    }
    const left = may.filter((name) => there(name) && !seen.has(name))
    if (left.length > 0) this.add([...path, "order"], `Does not say where ${left.join(" and ")} stands.`)
  }
}

/** What is said of a candidate, and who listens. */
const describing: ReadonlyArray<readonly [option: string, choosers: ReadonlyArray<string>]> = [
  ["contextWindow", ["fallback"]],
  ["prefill", ["fallback", "continue"]],
  ["weight", ["balance"]],
  ["tier", ["balance"]],
  ["prices", ["balance"]]
]

/**
 * What is wrong between the parts of a configuration. `hasShape` tells of a place whether nothing in it is wrong by itself.
 *
 * @stability stable
 * @category constructors
 * @since 0.1.0
 */
export const problemsBetween = (config: unknown, hasShape: (path: Path) => boolean): ReadonlyArray<Problems.Found> => {
  const table = tableOf(config)
  if (table === undefined) return []
  const reading = new Reading(table, hasShape)
  reading.read()
  return reading.found
}
