/**
 * Uses the package as those do who install it: packs it, unpacks it into two applications, and holds their programs, one per
 * entry of the package, to every compiler and way of resolving that is promised, and to this Node. Programs for any runtime are
 * bundled for a browser, without anything of Node, and the bundle is run as well.
 *
 * The declarations are checked as well (`skipLibCheck: false`), effect's among them: an error anywhere fails. The applications are
 * outside of the project and have only what they say that they installed, so that the package cannot lean on a dev dependency,
 * such as the types of Node. Nothing is downloaded.
 */
import { build } from "esbuild"
import { spawn, spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

interface Application {
  /** What it installed beside the package. */
  readonly installed: ReadonlyArray<string>
  /** Its files, each a program of its own, named in `consumers/`. */
  readonly programs: ReadonlyArray<string>
  /** Those of them that run in a browser or a worker, too. */
  readonly anywhere: ReadonlyArray<string>
}

const applications: Readonly<Record<string, Application>> = {
  bare: {
    installed: ["effect"],
    programs: ["core", "registry", "simulator", "subpaths", "testing"],
    anywhere: ["core", "registry", "subpaths", "testing"]
  },
  whole: { installed: ["effect", "@types/node", "gpt-tokenizer"], programs: ["node", "tokenizer"], anywhere: [] }
}

/** Dev dependencies that are a compiler. */
const compilers = ["typescript-5.9", "typescript-6", "typescript"]

const resolutions = {
  node16: { module: "node16", moduleResolution: "node16" },
  nodenext: { module: "nodenext", moduleResolution: "nodenext" },
  bundler: { module: "esnext", moduleResolution: "bundler" }
}

const strictness = {
  strict: {},
  stricter: { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }
}

const root = fileURLToPath(new URL("../", import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), "effect-llm-consumers-"))

interface Outcome {
  readonly name: string
  readonly output: string
  readonly ok: boolean
}

/** Runs this Node, which is the one the scripts of the project run on. */
const node = (name: string, cwd: string, ...args: ReadonlyArray<string>) =>
  new Promise<Outcome>((resolve) => {
    const child = spawn(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    const read = (chunk: Buffer) => void (output += chunk.toString())
    child.stdout.on("data", read)
    child.stderr.on("data", read)
    child.on("error", (error) => resolve({ name, output: String(error), ok: false }))
    child.on("close", (code) => resolve({ name, output, ok: code === 0 }))
  })

const succeed = (command: string, args: ReadonlyArray<string>, cwd: string): string => {
  const { error, status, stderr, stdout } = spawnSync(command, args, { cwd, encoding: "utf8" })
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`)
  return stdout.trim()
}

const versionOf = (folder: string): string =>
  (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string }).version

/** A folder with the application's programs, the unpacked package, and links to what it installed. */
const install = (name: string, { installed, programs }: Application, tarball: string): string => {
  const folder = join(scratch, name)
  const modules = join(folder, "node_modules")
  mkdirSync(join(modules, "effect-llm"), { recursive: true })
  succeed("tar", ["-xzf", tarball, "-C", join(modules, "effect-llm"), "--strip-components=1"], scratch)
  for (const dependency of installed) {
    mkdirSync(dirname(join(modules, dependency)), { recursive: true })
    symlinkSync(join(root, "node_modules", dependency), join(modules, dependency), "junction")
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))
  for (const program of programs) {
    copyFileSync(join(root, "consumers", `${program}.ts`), join(folder, `${program}.ts`))
  }
  return folder
}

const runs = ({ programs }: Application, folder: string) =>
  programs.map((program) => () => node(`${program}: run by Node ${process.version}`, folder, `${program}.ts`))

/** Bundled for a browser: an import of Node does not resolve there, and is an error. */
const bundles = ({ anywhere }: Application, folder: string) =>
  anywhere.map((program) => async (): Promise<Outcome> => {
    const name = `${program}: bundled for a browser, and run`
    const outfile = join(folder, "bundled", `${program}.js`)
    const options = { bundle: true, format: "esm", platform: "browser", target: "es2022", logLevel: "silent" } as const
    try {
      await build({ ...options, entryPoints: [join(folder, `${program}.ts`)], outfile })
    } catch (error) {
      return { name, output: String(error), ok: false }
    }
    return node(name, folder, outfile)
  })

const checks = (name: string, { installed, programs }: Application, folder: string) =>
  compilers.flatMap((compiler) =>
    Object.entries(resolutions).flatMap(([resolution, resolving]) =>
      Object.entries(strictness).map(([strict, options]) => () => {
        const project = join(folder, `tsconfig.${compiler}.${resolution}.${strict}.json`)
        const compilerOptions = {
          target: "es2022",
          strict: true,
          skipLibCheck: false,
          noEmit: true,
          types: installed.flatMap((dependency) => dependency.startsWith("@types/") ? [dependency.slice(7)] : []),
          ...resolving,
          ...options
        }
        writeFileSync(project, JSON.stringify({ compilerOptions, files: programs.map((program) => `${program}.ts`) }))
        const installation = join(root, "node_modules", compiler)
        return node(
          `${name}: TypeScript ${versionOf(installation)}, ${resolution}, ${strict}`,
          folder,
          join(installation, "bin", "tsc"),
          "--pretty",
          "false",
          "--project",
          project
        )
      })
    )
  )

const failures: Array<string> = []
try {
  const tarball = join(
    scratch,
    succeed("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", scratch], root)
  )
  const jobs = Object.entries(applications).flatMap(([name, application]) => {
    const folder = install(name, application, tarball)
    return [...runs(application, folder), ...bundles(application, folder), ...checks(name, application, folder)]
  })
  const count = jobs.length
  const work = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const { name, ok, output } = await job()
      if (!ok) failures.push(`${name}\n${output.trim().replaceAll(/^/gm, "  ")}`)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  console.log([...failures, `${count - failures.length} of ${count} hold`].join("\n"))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
if (failures.length > 0) process.exitCode = 1
