/**
 * A process of scripts/mutation.ts: loads the sources with the faults compiled in, and test files as they are, and runs single tests
 * with one fault in force. What it is told and answers is in `Order` and `Answer`.
 */
import { readFileSync } from "node:fs"
import { registerHooks, stripTypeScriptTypes } from "node:module"
import { relative } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { type Fault, withBlocks, withFaults } from "./mutation/faults.ts"

/** What the process is told. */
export type Order =
  | { readonly _tag: "Load"; readonly files: ReadonlyArray<string> }
  /** Runs the tests of a file once, right as they are, and tells which blocks each one reaches. */
  | { readonly _tag: "Look"; readonly file: string }
  /** Runs tests with a fault in force until one of them fails. */
  | {
    readonly _tag: "Try"
    readonly fault: number
    readonly tests: ReadonlyArray<{ readonly id: string; readonly patience: number }>
  }

/** What a run of a test showed: its time, the blocks it reached, and why it cannot judge if it fails as things are. */
export interface Seen {
  readonly id: string
  readonly file: string
  readonly millis: number
  readonly failure: string | undefined
  readonly reached: ReadonlyArray<string>
}

/** What it answers. */
export type Answer =
  | { readonly _tag: "Ready" }
  | {
    readonly _tag: "Loaded"
    readonly imports: ReadonlyArray<readonly [string, string]>
    readonly early: ReadonlyArray<string>
  }
  | {
    readonly _tag: "Looked"
    readonly tests: ReadonlyArray<Seen>
  }
  /** A test begins; if no word follows within its patience, it never ends. */
  | { readonly _tag: "Beginning"; readonly id: string; readonly patience: number }
  /** `by` is the test that failed, `isClean` whether it passes again without the fault. */
  | { readonly _tag: "Tried"; readonly by: string | undefined; readonly why: string; readonly isClean: boolean }

const root = fileURLToPath(new URL("../", import.meta.url))
const standIn = new URL("mutation-vitest.ts", import.meta.url).href
// Without faults it looks; `from` is the fault that is in force from the start.
const [, , faultsFile = "", from = ""] = process.argv
const isLooking = faultsFile === ""
const faults: ReadonlyArray<Fault> = isLooking ? [] : JSON.parse(readFileSync(faultsFile, "utf8"))
const faultsIn = Map.groupBy(faults, ({ file }) => file)

let active = from === "" ? -1 : Number(from)
let reached = new Set<string>()
Object.assign(globalThis, {
  __fault: (id: number): boolean => active === id,
  __reached: (block: string): void => void reached.add(block)
})

const imports: Array<readonly [string, string]> = []
const placeOf = (url: string): string => (url.startsWith("file:") ? relative(root, fileURLToPath(url)) : url)

registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier === "vitest" && context.parentURL !== standIn) return { url: standIn, shortCircuit: true }
    const resolved = next(specifier, context)
    if (context.parentURL !== undefined && !resolved.url.includes("/node_modules/")) {
      imports.push([placeOf(context.parentURL), placeOf(resolved.url)])
    }
    return resolved
  },
  load: (url, context, next) => {
    const file = placeOf(url)
    const here = faultsIn.get(file)
    if (!file.startsWith("src/") || (here === undefined && !isLooking)) return next(url, context)
    const text = readFileSync(fileURLToPath(url), "utf8")
    const source = here === undefined ? withBlocks(file, text) : withFaults(text, here)
    return { format: "module", source: stripTypeScriptTypes(source), shortCircuit: true }
  }
})

const { beginFile, runTest, tests } = await import("./mutation-vitest.ts")
await import("../test/seed.ts")

let stray: unknown
process.on("unhandledRejection", (cause) => (stray = cause))
process.on("uncaughtException", (cause) => (stray = cause))

const never = Symbol("never")
const saying = (cause: unknown): string =>
  String(cause instanceof Error ? cause.message : cause).split("\n", 1)[0]!.slice(0, 200)

/** Why a test fails, if it does. */
const failureOf = async (id: string, patience: number): Promise<string | undefined> => {
  const test = tests.get(id)
  if (test === undefined) return undefined
  stray = undefined
  let timer: NodeJS.Timeout | undefined
  try {
    const end = await Promise.race([
      runTest(test),
      new Promise((resolve) => (timer = setTimeout(() => resolve(never), patience)))
    ])
    if (end === never) return "never ends"
    return from !== "" && stray !== undefined ? `stray: ${saying(stray)}` : undefined
  } catch (cause) {
    return saying(cause) || "fails"
  } finally {
    clearTimeout(timer)
  }
}

const tell = (answer: Answer): void => void process.send!(answer)

const follow = async (order: Order): Promise<void> => {
  if (order._tag === "Load") {
    reached = new Set()
    for (const file of order.files) {
      beginFile(file)
      await import(pathToFileURL(`${root}${file}`).href)
    }
    return tell({ _tag: "Loaded", imports: imports.splice(0), early: [...reached] })
  }
  if (order._tag === "Look") {
    const looked: Array<Seen> = []
    for (const { file, id } of tests.values()) {
      if (file !== order.file) continue
      tell({ _tag: "Beginning", id, patience: 60_000 })
      reached = new Set()
      const started = performance.now()
      const failure = await failureOf(id, 60_000)
      looked.push({ id, file, millis: performance.now() - started, failure, reached: [...reached] })
    }
    return tell({ _tag: "Looked", tests: looked })
  }
  const before = active
  for (const { id, patience } of order.tests) {
    tell({ _tag: "Beginning", id, patience })
    active = order.fault
    const why = await failureOf(id, patience)
    active = before
    if (why === undefined) continue
    const isClean = from !== "" || (await failureOf(id, patience)) === undefined
    return tell({ _tag: "Tried", by: id, why, isClean })
  }
  tell({ _tag: "Tried", by: undefined, why: "", isClean: true })
}

let queue = Promise.resolve()
process.on("message", (order: Order) => {
  queue = queue.then(() => follow(order))
})
process.on("disconnect", () => process.exit(0))
tell({ _tag: "Ready" })
