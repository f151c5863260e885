/**
 * What the library adds to a bundle: minified and gzipped, without `effect`, against a budget.
 *
 * Each row is bundled from the sources as an application would: what an application with one provider uses, all that a
 * provider, the service and messages have, with policies, everything. What comes from `effect` is left out by marking it
 * external, and so are the statements that import it, of which a bundle with `effect` in it has none. What is loaded when it is
 * needed, such as the catalogue of models, is not part of the first load. `npm run size` fails over budget.
 *
 * esbuild keeps all of a namespace that comes through the barrel; Rolldown, Vite's bundler, keeps what is used.
 */
import { build, type Plugin } from "esbuild"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"

interface Bundle {
  readonly name: string
  /** @default esbuild */
  readonly bundler?: "esbuild" | "rolldown" | undefined
  readonly code: string
  /** Bytes, gzipped. */
  readonly budget: number
}

const kilobytes = (count: number) => count * 1024
const accessors = "export * as LlmService from \"./src/LlmService.ts\"; export * as Message from \"./src/Message.ts\";"
const provider = (name: string) => `${accessors} export * as ${name} from "./src/provider/${name}.ts"`

const application = `import { Anthropic, LlmService, Message } from "./src/index.ts"
export const layer = Anthropic.layer({ model: "some" })
export const whole = LlmService.generate({ messages: [Message.user("Hello")] })
export const streamed = LlmService.stream({ prompt: "Hello" })`

const bundles: ReadonlyArray<Bundle> = [
  { name: "an application with Anthropic", code: application, budget: kilobytes(64) },
  { name: "an application with Anthropic", bundler: "rolldown", code: application, budget: kilobytes(61) },
  { name: "Anthropic", code: provider("Anthropic"), budget: kilobytes(64) },
  { name: "OpenAi", code: provider("OpenAi"), budget: kilobytes(77) },
  { name: "Groq", code: provider("Groq"), budget: kilobytes(67) },
  {
    name: "Anthropic, by the barrel",
    code:
      "import { Anthropic, LlmService, Message } from \"./src/index.ts\"; export { Anthropic, LlmService, Message }",
    budget: kilobytes(64)
  },
  {
    name: "Anthropic, with Retry, Timeout and Fallback",
    code: `${provider("Anthropic")}; export * as Retry from "./src/policy/Retry.ts"
      export * as Timeout from "./src/policy/Timeout.ts"; export * as Fallback from "./src/policy/Fallback.ts"`,
    budget: kilobytes(70)
  },
  { name: "everything", code: "export * from \"./src/index.ts\"", budget: kilobytes(175) }
]

const lazy: Plugin = {
  name: "lazy",
  setup: ({ onResolve }) => {
    onResolve({ filter: /./ }, ({ kind, path }) => kind === "dynamic-import" ? { path, external: true } : undefined)
  }
}

interface Bundled {
  readonly code: string
  /** Bytes by source file, where the bundler says so. */
  readonly files?: ReadonlyArray<readonly [file: string, bytes: number]> | undefined
}

const root = fileURLToPath(new URL("../", import.meta.url))

const scratch = new URL("../.tmp/size/", import.meta.url)

const byEsbuild = async (code: string): Promise<Bundled> => {
  const { metafile, outputFiles } = await build({
    stdin: { contents: code, resolveDir: root, loader: "ts" },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    target: "es2024",
    external: ["effect", "effect/*", "@effect/*", "node:*"],
    plugins: [lazy],
    metafile: true,
    write: false,
    logLevel: "error"
  })
  const inputs = Object.values(metafile.outputs)[0]!.inputs
  return {
    code: outputFiles[0]!.text,
    files: Object.entries(inputs).map(([file, { bytesInOutput }]) => [file, bytesInOutput])
  }
}

const byRolldown = async (code: string): Promise<Bundled> => {
  mkdirSync(scratch, { recursive: true })
  const entry = fileURLToPath(new URL("entry.ts", scratch))
  writeFileSync(entry, code.replaceAll("\"./src/", "\"../../src/"))
  try {
    const bundle = await rolldown({ input: entry, external: [/^effect/, /^@effect/, /^node:/], logLevel: "silent" })
    const { output } = await bundle.generate({ format: "esm", minify: true })
    const loaded = new Set<string>()
    const load = (file: string) => {
      const chunk = output.find(({ fileName }) => fileName === file)
      if (chunk?.type !== "chunk" || loaded.has(file)) return ""
      loaded.add(file)
      return chunk.imports.reduce((text, imported): string => text + load(imported), chunk.code)
    }
    return { code: load(output[0].fileName) }
  } finally {
    rmSync(entry)
  }
}

const importStatements = /import(?:\*as [\w$]+|[\w$]+|\{[^}]*\}) ?from[`"][^`"]+[`"];?/g

let over = false
for (const { budget, bundler = "esbuild", code, name } of bundles) {
  const bundled = await (bundler === "esbuild" ? byEsbuild : byRolldown)(code)
  const contents = bundled.code.replaceAll(importStatements, "")
  const gzipped = gzipSync(contents, { level: 9 }).length
  const fits = gzipped <= budget
  over ||= !fits
  const show = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`.padStart(9)
  if (process.argv.includes("--files")) {
    for (const [file, bytes] of bundled.files?.toSorted(([, a], [, b]) => b - a) ?? []) {
      console.log(`  ${String(bytes).padStart(7)} ${file}`)
    }
  }
  console.log(
    `${`${name}, ${bundler}`.padEnd(54)} min ${show(contents.length)}   gzip ${show(gzipped)} of ${show(budget)}${
      fits ? "" : "   OVER BUDGET"
    }`
  )
}
if (over) process.exitCode = 1
