/**
 * What the library adds to a bundle: minified and gzipped, without `effect`, against a budget.
 *
 * Each row is bundled from the sources as an application would, with splitting. "First load" is what the entry imports; "layer" adds what
 * is loaded with the first layer of a provider: the transport and the wire's encoder and decoder; "schemas" adds what is loaded with the
 * first request that has a schema. The catalogue of models, loaded with the first call, is data and not counted. What comes from `effect`
 * is left out by marking it external, and so are the statements that import it, of which a bundle with `effect` in it has none; "with
 * effect" is the first load with all that it takes of `effect`. `npm run size` fails over the budget of the first load, or of all.
 *
 * esbuild keeps all of a namespace that comes through the barrel; Rolldown, Vite's bundler, keeps what is used.
 *
 * --files   the bytes of each source file in the first load, with a layer, and with schemas
 */
import { build } from "esbuild"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"

interface Row {
  readonly name: string
  readonly code: string
  /** Bytes of the first load, gzipped. */
  readonly first: number
  /** Bytes of the first load and of all that is loaded later. */
  readonly all: number
}

const kilobytes = (count: number) => count * 1024

const names = ["Message", "LlmService", "Retry", "Fallback"]
const folders: Readonly<Record<string, string>> = { Retry: "policy/", Fallback: "policy/" }

/** An application with one provider that is tried again, and then another model of it. */
const application = (provider: string, imports: string) =>
  `${imports}
const layerOf = (model) => ${provider}.layer({ model })
export const layer = layerOf("some").pipe(Retry.policy(), Fallback.policy(layerOf("other")))
export const whole = LlmService.generate({ messages: [Message.user("Hello")] })
export const streamed = LlmService.stream({ prompt: "Hello" })`

const byBarrel = (provider: string) =>
  application(provider, `import { ${[provider, ...names].join(", ")} } from "./src/index.ts"`)

const bySubpaths = (provider: string) =>
  application(
    provider,
    [`import * as ${provider} from "./src/provider/${provider}.ts"`].concat(
      names.map((name) => `import * as ${name} from "./src/${folders[name] ?? ""}${name}.ts"`)
    ).join("\n")
  )

const rows: ReadonlyArray<Row> = [
  {
    name: "Anthropic, Retry, Fallback: subpaths",
    code: bySubpaths("Anthropic"),
    first: kilobytes(32),
    all: kilobytes(112)
  },
  {
    name: "Anthropic, Retry, Fallback: barrel",
    code: byBarrel("Anthropic"),
    first: kilobytes(38),
    all: kilobytes(120)
  },
  { name: "OpenAi, Retry, Fallback: barrel", code: byBarrel("OpenAi"), first: kilobytes(38), all: kilobytes(136) },
  { name: "Groq, Retry, Fallback: barrel", code: byBarrel("Groq"), first: kilobytes(40), all: kilobytes(124) },
  { name: "everything", code: "export * from \"./src/index.ts\"", first: kilobytes(204), all: kilobytes(278) }
]

interface Chunk {
  readonly text: string
  readonly imports: ReadonlyArray<string>
  readonly dynamic: ReadonlyArray<string>
  /** The module that it was split off for. */
  readonly entry: string | undefined
  /** Bytes by source file, where the bundler says so. */
  readonly files: ReadonlyArray<readonly [file: string, bytes: number]>
}

interface Bundled {
  readonly entry: string
  readonly chunks: ReadonlyMap<string, Chunk>
}

const root = fileURLToPath(new URL("../", import.meta.url))
const outside = ["effect", "effect/*", "node:*"]

const byEsbuild = async (code: string, external: ReadonlyArray<string>): Promise<Bundled> => {
  const { metafile, outputFiles } = await build({
    stdin: { contents: code, resolveDir: root, loader: "ts" },
    absWorkingDir: root,
    outdir: "out",
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2024",
    external: [...external],
    metafile: true,
    write: false,
    logLevel: "error"
  })
  const chunks = new Map(
    Object.entries(metafile.outputs).map(([path, { entryPoint, imports, inputs }]): [string, Chunk] => {
      const own = (kind: string) => imports.filter((one) => !one.external && one.kind === kind).map((one) => one.path)
      return [path, {
        text: outputFiles.find((file) => file.path.endsWith(path))!.text,
        imports: own("import-statement"),
        dynamic: own("dynamic-import"),
        entry: entryPoint,
        files: Object.entries(inputs).map(([file, { bytesInOutput }]) => [file, bytesInOutput])
      }]
    })
  )
  return { entry: "out/stdin.js", chunks }
}

const byRolldown = async (code: string, external: ReadonlyArray<string>): Promise<Bundled> => {
  const entry = fileURLToPath(new URL("entry.ts", new URL("../", import.meta.url)))
  const bundle = await rolldown({
    input: entry,
    plugins: [{
      name: "entry",
      resolveId: (id) => id === entry ? id : undefined,
      load: (id) => id === entry ? { code, moduleType: "ts" } : undefined
    }],
    external: external.map((name) => new RegExp(`^${name.replace("*", ".*")}$`)),
    logLevel: "silent"
  })
  const { output } = await bundle.generate({ format: "esm", minify: true })
  const chunks = new Map(
    output.flatMap((chunk): Array<[string, Chunk]> =>
      chunk.type !== "chunk" ? [] : [[chunk.fileName, {
        text: chunk.code,
        imports: chunk.imports.filter((name) => output.some(({ fileName }) => fileName === name)),
        dynamic: chunk.dynamicImports,
        entry: chunk.facadeModuleId ?? undefined,
        files: []
      }]]
    )
  )
  return { entry: output[0].fileName, chunks }
}

/** The chunks that are loaded with some. */
const loaded = ({ chunks }: Bundled, names: ReadonlyArray<string>): ReadonlyMap<string, Chunk> => {
  const found = new Map<string, Chunk>()
  const load = (name: string) => {
    const chunk = chunks.get(name)
    if (chunk === undefined || found.has(name)) return
    found.set(name, chunk)
    chunk.imports.forEach(load)
  }
  names.forEach(load)
  return found
}

const withLayer = /(?:transport\/Transport|protocol\/\w+\/(?:Encode|Decoder))\.ts$/
const withSchema = /protocol\/schema\/compile\.ts$/

const importStatements = /import(?:\*as [\w$]+|[\w$]+|\{[^}]*\}) ?from[`"]effect[^`"]*[`"];?/g

const gzipped = (chunks: ReadonlyMap<string, Chunk>): number =>
  [...chunks.values()].reduce(
    (sum, { text }) => sum + gzipSync(text.replaceAll(importStatements, ""), { level: 9 }).length,
    0
  )

const show = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`.padStart(8)

let over = false
for (const { all, code, first, name } of rows) {
  for (const [bundler, bundle] of [["esbuild", byEsbuild], ["Rolldown", byRolldown]] as const) {
    const bundled = await bundle(code, outside)
    const begun = loaded(bundled, [bundled.entry])
    const later = [...begun.values()].flatMap(({ dynamic }) => dynamic)
    const those = (modules: RegExp) => later.filter((chunk) => modules.test(bundled.chunks.get(chunk)?.entry ?? ""))
    const layer = loaded(bundled, [bundled.entry, ...those(withLayer)])
    const called = loaded(bundled, [...layer.keys(), ...those(withSchema)])
    const whole = await bundle(code, ["node:*"])
    if (process.argv.includes("--files")) {
      for (const [when, chunks] of [["first load", begun], ["layer", layer], ["schemas", called]] as const) {
        console.log(`  ${when}`)
        const files = [...chunks.values()].flatMap((chunk) => chunk.files)
        for (const [file, bytes] of files.toSorted(([, a], [, b]) => b - a)) {
          console.log(`  ${String(bytes).padStart(7)} ${file}`)
        }
      }
    }
    const fits = gzipped(begun) <= first && gzipped(called) <= all
    over ||= !fits
    console.log(
      `${`${name}, ${bundler}`.padEnd(50)} first load ${show(gzipped(begun))} of ${show(first)}   layer ${
        show(gzipped(layer))
      }   schemas ${show(gzipped(called))} of ${show(all)}   first load with effect ${
        show(gzipped(loaded(whole, [whole.entry])))
      }${fits ? "" : "   OVER BUDGET"}`
    )
  }
}
if (over) process.exitCode = 1
