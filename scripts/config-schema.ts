/**
 * Writes docs/llm.schema.json, the JSON Schema of configuration files, out of the schemas that read them.
 *
 * `--check` writes nothing and fails when the file differs from what would be written.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { jsonSchema } from "../src/config/LlmConfig.ts"

const file = new URL("../docs/llm.schema.json", import.meta.url)
const text = `${JSON.stringify(jsonSchema(), undefined, 2)}\n`

if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
  if (process.argv.includes("--check")) {
    console.error("docs/llm.schema.json is out of date. Run: npm run docs")
    process.exitCode = 1
  } else {
    writeFileSync(file, text)
    console.log("docs/llm.schema.json: updated")
  }
}
