/**
 * Uses the package as those do who install it: packs it, unpacks it into applications, and holds each of their programs, one
 * per entry of the package, to every compiler and way of resolving that is promised, and to this Node.
 *
 * The declarations are checked as well (`skipLibCheck: false`), effect's among them: an error anywhere fails. The applications are
 * outside of the project and have only what they say that they installed, so that the package cannot lean on a dev dependency,
 * such as the types of Node. Nothing is downloaded. `npm run consumers -- core` takes that program alone..
 */
import { spawn, spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** Programs by what is installed beside the package. */
const installed: Readonly<Record<string, ReadonlyArray<string>>> = {
  core: ["effect"],
  testing: ["effect"],
  node: ["effect", "@types/node"],
  tokenizer: ["effect", "gpt-tokenizer"]
}

/** Dev dependencies that are a compiler. */
const compilers = ["typescript-5.9", "typescript-6", "typescript"]

const resolutions = {
  nodenext: { module: "nodenext", moduleResolution: "nodenext" },
  bundler: { module: "esnext", moduleResolution: "bundler" }
}

const strictness = {
  strict: {},
  stricter: { exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }
}

const root = fileURLToPath(new URL("../", import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), "effect-llm-consumers-"))
const only = process.argv.slice(2)
const programs = Object.keys(installed).filter((program) => only.length === 0 || only.includes(program))

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

/** An application: a folder with the program, the unpacked package, and links to what it installed. */
const install = (program: string, tarball: string): string => {
  const application = join(scratch, program)
  const modules = join(application, "node_modules")
  mkdirSync(join(modules, "effect-llm"), { recursive: true })
  succeed("tar", ["-xzf", tarball, "-C", join(modules, "effect-llm"), "--strip-components=1"], scratch)
  for (const name of installed[program]!) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, "node_modules", name), join(modules, name), "junction")
  }
  writeFileSync(join(application, "package.json"), JSON.stringify({ private: true, type: "module" }))
  copyFileSync(join(root, "consumers", `${program}.ts`), join(application, "main.ts"))
  return application
}

const checks = (program: string, application: string): ReadonlyArray<() => Promise<Outcome>> =>
  compilers.flatMap((compiler) =>
    Object.entries(resolutions).flatMap(([resolution, resolving]) =>
      Object.entries(strictness).map(([strict, options]) => () => {
        const folder = join(root, "node_modules", compiler)
        const project = join(application, `tsconfig.${compiler}.${resolution}.${strict}.json`)
        writeFileSync(
          project,
          JSON.stringify({
            compilerOptions: {
              target: "es2022",
              strict: true,
              skipLibCheck: false,
              noEmit: true,
              types: installed[program]!.flatMap((name) => name.startsWith("@types/") ? [name.slice(7)] : []),
              ...resolving,
              ...options
            },
            files: ["main.ts"]
          })
        )
        const name = `${program}: TypeScript ${versionOf(folder)}, ${resolution}, ${strict}`
        return node(name, application, join(folder, "bin", "tsc"), "--pretty", "false", "--project", project)
      })
    )
  )

const failures: Array<string> = []
try {
  const tarball = join(
    scratch,
    succeed("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", scratch], root)
  )
  const jobs = programs.flatMap((program) => {
    const application = install(program, tarball)
    return [() => node(`${program}: node ${process.version}`, application, "main.ts"), ...checks(program, application)]
  })
  const count = jobs.length
  const work = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const { name, ok, output } = await job()
      if (!ok) failures.push(`${name}\n${output.trim().replaceAll(/^/gm, "  ")}`)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  console.log([...failures, `${count - failures.length} of ${count}: ${programs.join(", ")}`].join("\n"))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
if (failures.length > 0) process.exitCode = 1
