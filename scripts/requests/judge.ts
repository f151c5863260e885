/**
 * Asks targets for everything there is to ask, and has every request judged.
 */
import { Effect } from "effect"
import type { Case } from "./cases.ts"
import type { Fault, Validator } from "./Fault.ts"
import { type Outcome, ready } from "./sent.ts"
import type { Target } from "./targets.ts"
import { warnedAbout } from "./warned.ts"

/** A kind of fault at a target, and how often it was seen. */
export interface Kind {
  readonly target: Target
  readonly validator: string
  readonly fault: Fault
  /** Whether a warning of the response names the option it comes of. */
  readonly warned: boolean
  count: number
  /** Names of the first cases with it. */
  readonly cases: Array<string>
}

/** What became of the requests for one target. */
export interface Tally {
  readonly target: Target
  requests: number
  /** Sent as asked, and nothing said against it. */
  clean: number
  /** Sent with a warning, and nothing said against it. */
  changed: number
  /** Refused before anything was sent, with a typed error. */
  refused: number
  /** Sent with a warning about the very option that a validator speaks against. */
  warned: number
  /** Sent although a validator speaks against it. */
  invalid: number
  /** Sent, but what came back was not understood: a fault of this judge or of a decoder. */
  astray: number
  readonly validators: ReadonlyArray<string>
  readonly kinds: Map<string, Kind>
}

/** Places without the numbers in them. */
const place = (at: string): string => at.replaceAll(/\[\d+\]/g, "[]")

/** Messages without the values in them, of which there are too many. */
const said = (message: string): string =>
  message.replace(/(?<=is )[{[].*$/, "…").replace(/(?<=: )[{[].*$/, "…").replaceAll(/call_\w+/g, "…")

const note = (tally: Tally, validator: string, fault: Fault, warned: boolean, name: string): void => {
  const key = `${validator} ${place(fault.at)} ${said(fault.message)} ${warned}`
  const before = tally.kinds.get(key)
  if (before !== undefined) {
    before.count++
    if (before.cases.length < 3) before.cases.push(name)
    return
  }
  const kind = { target: tally.target, validator, warned, count: 1, cases: [name] }
  tally.kinds.set(key, { ...kind, fault: { ...fault, at: place(fault.at), message: said(fault.message) } })
}

/** Typed reasons of a request that is refused before it is sent. */
const refusals: ReadonlySet<string> = new Set(["Validation", "Configuration"])

const weigh = (tally: Tally, name: string, outcome: Outcome, validators: ReadonlyArray<Validator>): void => {
  tally.requests++
  const { error, response, sent } = outcome
  if (sent === undefined) {
    if (error !== undefined && refusals.has(error.reason._tag)) tally.refused++
    else tally.astray++
    return
  }
  if (response === undefined) {
    tally.astray++
    note(tally, "answer", { at: "", message: error?.message ?? "no response", source: "" }, false, name)
  }
  const warnings = response?.warnings ?? []
  let silent = 0
  let told = 0
  for (const validator of validators) {
    for (const fault of validator.check(sent)) {
      const warned = warnedAbout(fault.at, warnings)
      if (warned) told++
      else silent++
      note(tally, validator.name, fault, warned, `${name} (${sent.operation})`)
    }
  }
  if (silent > 0) tally.invalid++
  else if (told > 0) tally.warned++
  else if (warnings.length > 0) tally.changed++
  else tally.clean++
}

/** Which operations a case is asked of: pairs alternate, so that each is asked once. */
const operations = ({ kind }: Case, index: number): ReadonlyArray<"generate" | "stream"> =>
  kind === "option" ? ["generate", "stream"] : [index % 2 === 0 ? "generate" : "stream"]

/** Judges every case at one target. */
export const judge = Effect.fnUntraced(function*(
  target: Target,
  asked: ReadonlyArray<Case>,
  validators: ReadonlyArray<Validator>
) {
  const tally: Tally = {
    target,
    requests: 0,
    clean: 0,
    changed: 0,
    refused: 0,
    warned: 0,
    invalid: 0,
    astray: 0,
    validators: validators.map(({ name }) => name),
    kinds: new Map()
  }
  const ask = yield* ready(target)
  for (const [index, one] of asked.entries()) {
    for (const operation of operations(one, index)) {
      weigh(tally, one.name, yield* ask(one.request, operation), validators)
    }
  }
  return tally
})
