/**
 * Stands in for `vitest` in scripts/mutation-worker.ts: keeps what test files register, so that one test can be run again and again in
 * one process. Knows what the tests of this repository use.
 */
import { format } from "node:util"
import { assert, chai, expect, vi } from "vitest"

export { assert, chai, expect, vi }

type Hook = () => unknown
type Body = (...args: ReadonlyArray<unknown>) => unknown

interface Suite {
  readonly name: string
  readonly parent: Suite | undefined
  readonly isSkipped: boolean
  readonly before: Array<Hook>
  readonly after: Array<Hook>
  readonly beforeEach: Array<(context: object) => unknown>
  readonly afterEach: Array<(context: object) => unknown>
  started: Promise<void> | undefined
}

/** A test as it was registered. */
export interface Test {
  readonly id: string
  readonly file: string
  readonly suite: Suite
  readonly body: (context: object) => unknown
}

const suiteOf = (name: string, parent: Suite | undefined, isSkipped: boolean): Suite => ({
  name,
  parent,
  isSkipped: isSkipped || (parent?.isSkipped ?? false),
  before: [],
  after: [],
  beforeEach: [],
  afterEach: [],
  started: undefined
})

let file = ""
let current = suiteOf("", undefined, false)
const suites: Array<Suite> = []
/** All tests that were registered, by their names. */
export const tests = new Map<string, Test>()

/** Tells whose tests are registered from here on. */
export const beginFile = (name: string): void => {
  file = name
  current = suiteOf(name, undefined, false)
  suites.push(current)
}

const pathOf = (
  suite: Suite
): string => (suite.parent === undefined ? suite.name : `${pathOf(suite.parent)} > ${suite.name}`)

const add = (name: string, isSkipped: boolean, body: Test["body"]): void => {
  if (isSkipped || current.isSkipped) return
  let id = `${pathOf(current)} > ${name}`
  while (tests.has(id)) id += "'"
  tests.set(id, { id, file, suite: current, body })
}

const bodyOf = (args: ReadonlyArray<unknown>): Body =>
  args.find((one): one is Body => typeof one === "function") ?? (() => {})

const titled = (name: string, values: ReadonlyArray<unknown>, index: number): string =>
  `${
    format(name.replaceAll("%#", String(index)), ...values.map((one) => (typeof one === "object" ? "" : one)))
  } #${index}`

const tester = (isSkipped: boolean) =>
  Object.assign((name: string, ...args: ReadonlyArray<unknown>) => add(name, isSkipped, bodyOf(args)), {
    each: (cases: ReadonlyArray<unknown>) => (name: string, ...args: ReadonlyArray<unknown>) =>
      cases.forEach((one, index) => {
        const values = Array.isArray(one) ? one : [one]
        add(titled(name, values, index), isSkipped, () => bodyOf(args)(...values))
      }),
    for: (cases: ReadonlyArray<unknown>) => (name: string, ...args: ReadonlyArray<unknown>) =>
      cases.forEach((one, index) =>
        add(titled(name, [one].flat(), index), isSkipped, (context) => bodyOf(args)(one, context))
      )
  })

const skipped = Object.assign(tester(true), { skip: tester(true) })

/** As `test` of vitest. */
export const it = Object.assign(tester(false), {
  skip: skipped,
  todo: skipped,
  only: tester(false),
  fails: skipped,
  skipIf: (condition: unknown) => (condition ? skipped : tester(false)),
  runIf: (condition: unknown) => (condition ? tester(false) : skipped)
})
export const test = it

const describer = (isSkipped: boolean) => {
  const describe = (name: string, ...args: ReadonlyArray<unknown>): void => {
    const outer = current
    current = suiteOf(name, outer, isSkipped)
    suites.push(current)
    bodyOf(args)()
    current = outer
  }
  return Object.assign(describe, {
    each: (cases: ReadonlyArray<unknown>) => (name: string, ...args: ReadonlyArray<unknown>) =>
      cases.forEach((one, index) => {
        const values = Array.isArray(one) ? one : [one]
        describe(titled(name, values, index), () => bodyOf(args)(...values))
      })
  })
}

/** As `describe` of vitest. */
export const describe = Object.assign(describer(false), {
  skip: describer(true),
  only: describer(false),
  skipIf: (condition: unknown) => describer(Boolean(condition)),
  runIf: (condition: unknown) => describer(!condition)
})

export const beforeAll = (hook: Hook) => void current.before.push(hook)
export const afterAll = (hook: Hook) => void current.after.push(hook)
export const beforeEach = (hook: (context: object) => unknown) => void current.beforeEach.push(hook)
export const afterEach = (hook: (context: object) => unknown) => void current.afterEach.push(hook)
/** What `@effect/vitest` asks of vitest when it is loaded. */
export const TestRunner = { getCurrentSuite: () => current }

const chainOf = (suite: Suite | undefined): ReadonlyArray<Suite> =>
  suite === undefined ? [] : [...chainOf(suite.parent), suite]

const started = (suite: Suite): Promise<void> => (suite.started ??= (async () => {
  for (const hook of suite.before) await hook()
})())

/** Runs one test; rejects as it fails. */
export const runTest = async ({ body, id, suite }: Test): Promise<void> => {
  const last: Array<Hook> = []
  const abort = new AbortController()
  const context = {
    task: { name: id },
    signal: abort.signal,
    onTestFinished: (hook: Hook) => void last.push(hook),
    onTestFailed: () => {},
    expect,
    skip: () => {}
  }
  const chain = chainOf(suite)
  for (const one of chain) await started(one)
  for (const one of chain) for (const hook of one.beforeEach) await hook(context)
  try {
    await body(context)
    for (const one of chain) for (const hook of one.afterEach) await hook(context)
  } finally {
    for (const hook of last) await hook()
    vi.restoreAllMocks()
  }
}

/** Runs what was registered for the end. */
export const endAll = async (): Promise<void> => {
  for (const { after, started } of suites) if (started !== undefined) { for (const hook of after) await hook() }
}
