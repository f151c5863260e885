/**
 * What an answer cites: grounding chunks and citations. Any field may be missing, and streams repeat what they have sent.
 *
 * https://ai.google.dev/api/generate-content#GroundingMetadata
 *
 * @since 0.1.0
 */
import type { SourcePart } from "../../Message.ts"
import type { Assembler } from "../assembling.ts"
import { type JsonFields, jsonOf, nonEmpty, record } from "../Probe.ts"
import { field, recordField, recordsField } from "./Fields.ts"

const firstText = (from: JsonFields, names: ReadonlyArray<string>): string | undefined => {
  for (const name of names) {
    const found = nonEmpty(field(from, name))
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Emits each source of an answer once.
 *
 * @stability experimental
 * @category decoding
 * @since 0.1.0
 */
export class Sources {
  private readonly seen = new Set<string>()
  private readonly assembler: Assembler

  constructor(assembler: Assembler) {
    this.assembler = assembler
  }

  /** Reads the sources of a candidate. */
  candidate(candidate: JsonFields): void {
    const grounding = recordField(candidate, "groundingMetadata")
    if (grounding !== undefined) {
      for (const chunk of recordsField(grounding, "groundingChunks")) this.chunk(chunk)
    }
    const citations = recordField(candidate, "citationMetadata")
    if (citations === undefined) return
    // Vertex writes `citations`, AI Studio `citationSources`.
    for (const name of ["citations", "citationSources"]) {
      for (const citation of recordsField(citations, name)) this.emit(citation, citation)
    }
  }

  private chunk(chunk: JsonFields): void {
    // One member, named by the kind of source: web, retrievedContext, maps, image, or one to come.
    for (const key of Object.keys(chunk)) {
      const fields = record(chunk[key])
      if (fields !== undefined) this.emit(fields, chunk)
    }
  }

  private emit(fields: JsonFields, raw: JsonFields): void {
    const url = firstText(fields, ["uri", "sourceUri", "imageUri"])
    const title = firstText(fields, ["title", "domain"])
    const citedText = nonEmpty(fields["text"])
    if (url === undefined && title === undefined && citedText === undefined) return
    const key = JSON.stringify(raw)
    if (this.seen.has(key)) return
    this.seen.add(key)
    const part: SourcePart = {
      type: "source",
      ...(url === undefined ? undefined : { url }),
      ...(title === undefined ? undefined : { title }),
      ...(citedText === undefined ? undefined : { citedText }),
      raw: jsonOf(raw)
    }
    this.assembler.source(part)
  }
}
