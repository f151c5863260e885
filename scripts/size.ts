/**
 * What the library adds to a bundle: minified and gzipped, without `effect`, against a budget.
 *
 * Each row is bundled from the sources as an application would: one provider with the service's accessors, every provider,
 * everything. What comes from `effect` is left out by marking it external. `npm run size` fails over budget.
 */
import { build, type Plugin } from "esbuild"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"

interface Bundle {
  readonly name: string
  readonly code: string
  /** Bytes, gzipped. */
  readonly budget: number
}

const kilobytes = (count: number) => count * 1024
const accessors = "export * as LlmService from \"./src/LlmService.ts\"; export * as Message from \"./src/Message.ts\";"
const provider = (name: string) => `${accessors} export * as ${name} from "./src/provider/${name}.ts"`

const bundles: ReadonlyArray<Bundle> = [
  { name: "Anthropic", code: provider("Anthropic"), budget: kilobytes(42) },
  { name: "OpenAi", code: provider("OpenAi"), budget: kilobytes(52) },
  { name: "Groq", code: provider("Groq"), budget: kilobytes(44) },
  {
    name: "Anthropic, by the barrel",
    code:
      "import { Anthropic, LlmService, Message } from \"./src/index.ts\"; export { Anthropic, LlmService, Message }",
    budget: kilobytes(42)
  },
  {
    name: "Anthropic, with Retry, Timeout and Fallback",
    code: `${provider("Anthropic")}; export * as Retry from "./src/policy/Retry.ts"
      export * as Timeout from "./src/policy/Timeout.ts"; export * as Fallback from "./src/policy/Fallback.ts"`,
    budget: kilobytes(46)
  },
  { name: "everything", code: "export * from \"./src/index.ts\"", budget: kilobytes(140) }
]

/** What is loaded when it is needed, such as the catalogue of models, is not part of the first load. */
const lazy: Plugin = {
  name: "lazy",
  setup: ({ onResolve }) => {
    onResolve({ filter: /./ }, ({ kind, path }) => kind === "dynamic-import" ? { path, external: true } : undefined)
  }
}

const root = fileURLToPath(new URL("../", import.meta.url))
let over = false
for (const { budget, code, name } of bundles) {
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
  const contents = outputFiles[0]!.contents
  const gzipped = gzipSync(contents, { level: 9 }).length
  const fits = gzipped <= budget
  over ||= !fits
  const show = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`.padStart(9)
  if (process.argv.includes("--files")) {
    const inputs = Object.values(metafile.outputs)[0]!.inputs
    const sorted = Object.entries(inputs).toSorted(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)
    for (const [file, { bytesInOutput }] of sorted) console.log(`  ${String(bytesInOutput).padStart(7)} ${file}`)
  }
  console.log(
    `${name.padEnd(46)} min ${show(contents.length)}   gzip ${show(gzipped)} of ${show(budget)}${
      fits ? "" : "   OVER BUDGET"
    }`
  )
}
if (over) process.exitCode = 1
