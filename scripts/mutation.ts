/**
 * Puts one plausible fault after another into the sources and asks the tests whether they notice.
 *
 * `npm run mutation -- --under src/transport --under src/policy --count 60 --seed 1` takes a random sample of the faults that are
 * possible under each path, and prints every survivor with its place and a score per path. Exits with 1 below `--least` percent.
 *
 * How: the faults of the sample are compiled in behind a switch (scripts/mutation/faults.ts) and stay in memory; one process loads all test files and keeps
 * them (scripts/mutation-worker.ts). Every test runs once, which tells its time and the faults it reaches. Then each fault is switched
 * on for the tests that reach it, quickest first, until one fails; that test must pass again without the fault, else the process is
 * replaced. What hardly a test reaches, or what is reached while modules load, is tried once more in a process of its own, with the
 * fault in force from the first import, because it may be computed once. What survives is last shown to the compiler.
 */
import { type ChildProcess, fork, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  appendFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import type { Answer, Order, Seen } from "./mutation-worker.ts"
import { blocksIn, type Fault, faultsOf } from "./mutation/faults.ts"

const root = fileURLToPath(new URL("../", import.meta.url))
const { values } = parseArgs({
  options: {
    under: { type: "string", multiple: true, default: ["src"] },
    count: { type: "string" },
    seed: { type: "string", default: "1" },
    least: { type: "string", default: "0" },
    tests: { type: "string", multiple: true, default: ["test/**/*.test.ts"] },
    log: { type: "string" },
    /** Milliseconds of tests that a fault is tried on. */
    most: { type: "string", default: "8000" },
    /** Of the sample, those whose `file:line` has this in it; comma-separated. */
    only: { type: "string" },
    /** Takes what the tests reach as an older look at other sources saw it. */
    keep: { type: "boolean", default: false }
  }
})

const folder = mkdtempSync(join(tmpdir(), "mutation-"))

const say = (line: string): void => {
  console.log(line)
  if (values.log !== undefined) appendFileSync(values.log, `${line}\n`)
}

// =============================================================================
// The sample
// =============================================================================

/** A small generator, so that a seed names a sample: https://en.wikipedia.org/wiki/Linear_congruential_generator */
const randomBy = (seed: number) => () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32

const sampled = <A>(all: ReadonlyArray<A>, count: number, random: () => number): ReadonlyArray<A> => {
  const left = [...all]
  return Array.from(
    { length: Math.min(count, all.length) },
    () => left.splice(Math.floor(random() * left.length), 1)[0]!
  )
}

/** What is data, or made by a script, has no behaviour to break; what talks to Redis is judged where one runs. */
const isLeftOut = (file: string): boolean =>
  file === "src/index.ts" || file.startsWith("src/model/catalogue/") || file.endsWith("/redis.ts")

const filesOf = (path: string): ReadonlyArray<string> =>
  path.split(",").flatMap((one) => globSync([one, `${one}/**/*.ts`], { cwd: root }))
    .filter((file) => file.endsWith(".ts") && !isLeftOut(file))
    .toSorted()

interface Sample {
  readonly path: string
  readonly possible: number
  readonly faults: ReadonlyArray<Fault>
}

const isWanted = ({ file, line }: Omit<Fault, "id">): boolean =>
  values.only === undefined || values.only.split(",").some((place) => `${file}:${line}`.endsWith(place))

let ids = 0
const samples: ReadonlyArray<Sample> = values.under.map((path) => {
  const all = filesOf(path).flatMap((file) => faultsOf(root, file))
  // A seed as it is would give neighbours the same first numbers.
  const random = randomBy(Math.imul(Number(values.seed), 2_654_435_761))
  const count = values.count === undefined ? all.length : Number(values.count)
  return {
    path,
    possible: all.length,
    faults: sampled(all, count, random).filter(isWanted).map((one) => ({ ...one, id: ids++ }))
  }
})
const faults = samples.flatMap((one) => one.faults)
const faultsFile = join(folder, "faults.json")
writeFileSync(faultsFile, JSON.stringify(faults))

// =============================================================================
// Processes
// =============================================================================

/** Left out, so that scores are lower bounds: what reads sources, what needs a server of Debian's, and the fuzzers, which take longest. */
const isJudge = (file: string): boolean => !/architecture|redis|fuzz|testing|scenarios/.test(file)
/** Tests beyond this are left out, and a fault that this much of the tests it is reached by does not notice survives. */
const longestTestMillis = 12_000
const longestTryMillis = Number(values.most)
/** Loading is what costs where a process is started for one fault. */
const mostFreshFiles = 8
const testFiles = globSync(values.tests, { cwd: root }).filter(isJudge).toSorted()

type Tried = Extract<Answer, { _tag: "Tried" }>
type Looked = Extract<Answer, { _tag: "Looked" }>
type Loaded = Extract<Answer, { _tag: "Loaded" }>

class Worker {
  private readonly child: ChildProcess
  private constructor(child: ChildProcess) {
    this.child = child
  }

  /** Starts one that tries faults, with `fault` in force from the start, or one that looks. */
  static async start(fault?: number | "look"): Promise<Worker> {
    const child = fork(
      fileURLToPath(new URL("mutation-worker.ts", import.meta.url)),
      fault === "look" ? [] : [faultsFile, ...(fault === undefined ? [] : [String(fault)])],
      {
        cwd: root,
        stdio: ["ignore", "ignore", values.log === undefined ? "ignore" : "inherit", "ipc"],
        execArgv: ["--max-old-space-size=4000", "--disable-warning=ExperimentalWarning"]
      }
    )
    const worker = new Worker(child)
    await worker.answer(() => {})
    return worker
  }

  /** The next answer; a process that ends, or says nothing for longer than it may, gives `undefined`. */
  private answer(send: () => void, patience = 300_000): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout
      const end = (answer: Answer | undefined) => {
        clearTimeout(timer)
        this.child.off("message", hear)
        this.child.off("exit", lose)
        resolve(answer)
      }
      const lose = () => end(undefined)
      const wait = (millis: number) => {
        clearTimeout(timer)
        timer = setTimeout(() => {
          this.stop()
          end(undefined)
        }, millis)
      }
      const hear = (answer: Answer) => {
        if (answer._tag === "Beginning") return wait(answer.patience + 10_000)
        end(answer)
      }
      this.child.on("message", hear)
      this.child.once("exit", lose)
      wait(patience)
      send()
    })
  }

  async order<A extends Answer>(order: Order): Promise<A | undefined> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return undefined
    return (await this.answer(() => void this.child.send(order))) as A | undefined
  }

  stop(): void {
    this.child.kill("SIGKILL")
  }
}

// =============================================================================
// Judging
// =============================================================================

interface Verdict {
  readonly fault: Fault
  readonly by: string | undefined
  readonly why: string
}

/** What the tests of a file reach. */
interface Sight {
  readonly key: string
  readonly tests: ReadonlyArray<Seen>
  readonly early: ReadonlyArray<string>
  readonly imports: ReadonlyArray<readonly [string, string]>
}

const digest = (texts: ReadonlyArray<string>): string => {
  const hash = createHash("sha256")
  for (const text of texts) hash.update(text)
  return hash.digest("hex").slice(0, 16)
}

/** Runs every test file once that was not looked at since it or the sources changed; what was seen is kept in the folder for temporary files. */
const looking = async (): Promise<ReadonlyMap<string, Sight>> => {
  const kept = join(tmpdir(), "effect-llm-mutation")
  mkdirSync(kept, { recursive: true })
  const read = (file: string) => readFileSync(join(root, file), "utf8")
  const sources = values.keep ? "" : digest(filesOf("src").map(read))
  const sights = new Map<string, Sight>()
  let worker: Worker | undefined
  for (const file of testFiles) {
    const place = join(kept, `${file.replaceAll("/", "+")}.json`)
    const own = digest([read(file)])
    const old: Sight | undefined = existsSync(place) ? JSON.parse(readFileSync(place, "utf8")) : undefined
    if (old?.key.startsWith(own) && old.key.endsWith(sources)) {
      sights.set(file, old)
      continue
    }
    worker ??= await Worker.start("look")
    const loaded = await worker.order<Loaded>({ _tag: "Load", files: [file] })
    const looked = await worker.order<Looked>({ _tag: "Look", file })
    const sight = {
      key: `${own}${digest(filesOf("src").map(read))}`,
      tests: looked?.tests ?? [],
      early: loaded?.early ?? [],
      imports: loaded?.imports ?? []
    }
    if (loaded === undefined || looked === undefined) {
      say(`  left out: ${file}, which ends its process`)
      worker = undefined
    }
    if (values.log !== undefined) appendFileSync(values.log, `${file} ${Math.round(performance.now())} ms\n`)
    writeFileSync(place, JSON.stringify(sight))
    sights.set(file, sight)
  }
  worker?.stop()
  return sights
}

const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(1)

const refusedByCompiler = (survivors: ReadonlyArray<Fault>): ReadonlySet<number> => {
  const refused = new Set<number>()
  if (survivors.length === 0) return refused
  for (const name of ["src", "package.json", "tsconfig.json"]) {
    cpSync(join(root, name), join(folder, name), { recursive: true })
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
  writeFileSync(join(folder, "tsconfig.faults.json"), JSON.stringify({ extends: "./tsconfig.json", include: ["src"] }))
  const rounds = [...Map.groupBy(survivors, ({ file }) => file).values()]
  for (let round = 0; rounds.some((those) => those.length > round); round++) {
    // One fault a file, and files may break one another: what is refused where no fault stands is not held against any.
    const here = rounds.flatMap((those) => those.slice(round, round + 1))
    for (const { file, from, text, to, form } of here) {
      const source = readFileSync(join(root, file), "utf8")
      const put = form === "expression" ? `(${text})` : text
      writeFileSync(join(folder, file), source.slice(0, from) + put + source.slice(to))
    }
    const { stdout } = spawnSync(
      process.execPath,
      [
        join(root, "node_modules/typescript/bin/tsc"),
        "-p",
        "tsconfig.faults.json",
        "--pretty",
        "false",
        "--noUnusedLocals",
        "false"
      ],
      { cwd: folder, encoding: "utf8" }
    )
    for (const { file, id } of here) if (stdout.includes(`${file}(`)) refused.add(id)
    for (const { file } of here) cpSync(join(root, file), join(folder, file))
  }
  return refused
}

try {
  for (const { faults, path, possible } of samples) {
    say(`${possible} faults are possible under ${path}; ${faults.length} are tried.`)
  }
  const begun = performance.now()
  const begin = async (): Promise<Worker> => {
    const worker = await Worker.start()
    await worker.order<Loaded>({ _tag: "Load", files: testFiles })
    return worker
  }
  const sights = await looking()
  const seen = testFiles.flatMap((file) => sights.get(file)!.tests)
  const judges = seen.filter(({ failure, millis }) => failure === undefined && millis < longestTestMillis)
    .toSorted((a, b) => a.millis - b.millis)
  say(`Looked at ${seen.length} tests in ${seconds(begun)} s; ${seen.length - judges.length} of them do not judge.`)
  for (const { failure, id, millis } of seen) {
    if (failure !== undefined || millis >= longestTestMillis) {
      say(`  left out: ${id}: ${failure ?? `${Math.round(millis)} ms`}`)
    }
  }
  const early = new Set([...sights.values()].flatMap((one) => one.early))
  const reachedBy = Map.groupBy(
    judges.flatMap((test) => test.reached.map((block) => [block, test] as const)),
    ([block]) => block
  )
  const importsOf = Map.groupBy([...sights.values()].flatMap((one) => one.imports), ([from]) => from)
  const closure = (file: string): ReadonlySet<string> => {
    const found = new Set([file])
    for (const one of found) for (const [, to] of importsOf.get(one) ?? []) found.add(to)
    return found
  }
  const closures = new Map(testFiles.map((file) => [file, closure(file)]))
  /** The innermost block around a fault; none is around what runs while its module loads. */
  const blockOf = ({ file, from, to }: Fault): string | undefined => {
    return blocksIn(root, file).findLast((one) => one.from <= from && one.to >= to && one.to - one.from > to - from)
      ?.name
  }
  let hot = await begin()
  say(`Loaded ${testFiles.length} test files in ${seconds(begun)} s.`)

  const patienceOf = (millis: number) => 5000 + 10 * millis
  const within = (those: ReadonlyArray<Seen>, most: number): ReadonlyArray<Seen> => {
    let total = 0
    return those.filter(({ millis }) => (total += millis) < most)
  }
  /** Quick tests first, of those the ones that reach little else, and those of the same room. */
  const costOf = ({ file }: Fault, test: Seen): number =>
    (1 + test.millis) * test.reached.length * (test.file.split("/")[1] === file.split("/")[1] ? 0.2 : 1)

  const orderOf = (fault: Fault, those: ReadonlyArray<Seen>): Order => ({
    _tag: "Try",
    fault: fault.id,
    tests: those.map(({ id, millis }) => ({ id, patience: patienceOf(millis) }))
  })

  /** How many tests of a file reach anything of a source. */
  const relevance = (file: string, source: string): number =>
    sights.get(file)!.tests.filter(({ reached }) => reached.some((block) => block.startsWith(`${source}#`))).length

  /** Tries a fault in a process of its own, file by file, those first that have most to do with it. */
  const tryFresh = async (
    fault: Fault,
    tests: ReadonlyArray<Seen>,
    isEarly: boolean
  ): Promise<Tried | undefined> => {
    const wanted = isEarly ? judges.filter(({ file }) => closures.get(file)?.has(fault.file)) : tests
    const files = [...Map.groupBy(wanted, ({ file }) => file)]
      .map(([file, those]) => [file, those, relevance(file, fault.file)] as const)
      .toSorted((a, b) => b[2] - a[2])
      .slice(0, mostFreshFiles)
      .map(([file, those]) => [file, within(those, longestTryMillis / 2)] as const)
    if (files.length === 0) return { _tag: "Tried", by: undefined, why: "no test reaches it", isClean: true }
    const worker = await Worker.start(fault.id)
    try {
      for (const [file, those] of files) {
        const came = await worker.order<Loaded>({ _tag: "Load", files: [file] })
        if (came === undefined) return undefined
        const tried = await worker.order<Tried>(orderOf(fault, those))
        if (tried === undefined || tried.by !== undefined) return tried
      }
      return { _tag: "Tried", by: undefined, why: "", isClean: true }
    } finally {
      worker.stop()
    }
  }

  const tryOne = async (fault: Fault): Promise<Verdict> => {
    const block = blockOf(fault)
    const reaching = block === undefined ? [] : (reachedBy.get(block) ?? []).map(([, test]) => test)
    const tests = within(reaching.toSorted((a, b) => costOf(fault, a) - costOf(fault, b)), longestTryMillis)
    const isEarly = block === undefined || early.has(block)
    if (tests.length > 0) {
      const tried = await hot.order<Tried>(orderOf(fault, tests))
      if (tried === undefined) {
        hot.stop()
        hot = await begin()
        return { fault, by: "(the process)", why: "never ends, or takes all memory" }
      }
      if (!tried.isClean) {
        hot.stop()
        hot = await begin()
      }
      if (tried.by !== undefined && tried.isClean) return { fault, by: tried.by, why: tried.why }
      if (tried.by !== undefined) {
        // What an earlier fault left behind is not held against this one.
        const again = await hot.order<Tried>(orderOf(fault, tests))
        if (again?.by !== undefined) return { fault, by: again.by, why: again.why }
      }
    }
    // What more than one test of a process reaches is not computed once.
    if (!isEarly && tests.length > 3) return { fault, by: undefined, why: "" }
    const fresh = await tryFresh(fault, tests, isEarly)
    return fresh === undefined
      ? { fault, by: "(the process)", why: "cannot be loaded, or never ends" }
      : { fault, by: fresh.by, why: fresh.why }
  }

  const verdicts: Array<Verdict> = []
  for (const fault of faults) {
    const started = performance.now()
    const verdict = await tryOne(fault)
    verdicts.push(verdict)
    const outcome = verdict.by === undefined ? "SURVIVED" : "noticed "
    const detail = verdict.by === undefined ? verdict.why : `by ${verdict.by}: ${verdict.why}`
    say(
      `${outcome} ${fault.file}:${fault.line} ${fault.shown}   [${seconds(started)} s${
        detail === "" ? "" : `; ${detail}`
      }]`
    )
  }
  hot.stop()

  const survivors = verdicts.filter(({ by }) => by === undefined).map(({ fault }) => fault)
  const refused = refusedByCompiler(survivors)
  say(`\n${faults.length} faults in ${seconds(begun)} s. Survivors:`)
  for (const { file, id, line, shown } of survivors) {
    say(`${refused.has(id) ? "compiler" : "SURVIVED"} ${file}:${line} ${shown}`)
  }
  say(
    "\n| path | possible | tried | noticed by tests | refused by the compiler | score |\n| --- | --- | --- | --- | --- | --- |"
  )
  for (const { faults, path, possible } of samples) {
    const ours = verdicts.filter(({ fault }) => faults.includes(fault))
    const noticed = ours.filter(({ by }) => by !== undefined).length
    const compiler = ours.filter(({ fault }) => refused.has(fault.id)).length
    const score = 100 * noticed / (ours.length - compiler)
    if (score < Number(values.least)) process.exitCode = 1
    say(`| ${path} | ${possible} | ${ours.length} | ${noticed} | ${compiler} | ${Math.round(score)} % |`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
