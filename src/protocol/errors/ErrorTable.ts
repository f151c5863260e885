/**
 * Documented errors, row by row: what a provider sends, and which reason it becomes.
 *
 * Data for tests and for the documentation; `classify` does not read it. `source` is the page or thread that documents
 * the row, the provider's error documentation where no page shows that very text, or the specification of its status.
 *
 * @since 0.1.0
 */
import type { ErrorTableRow } from "./ErrorRow.ts"
import { rowsOf } from "./ErrorRow.ts"
import { hostErrors } from "./HostErrors.ts"
import { labErrors } from "./LabErrors.ts"
import { overflowTexts } from "./OverflowTexts.ts"

export { type ErrorTableRow } from "./ErrorRow.ts"

const badRequest = "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.1"

/**
 * The documented mappings.
 *
 * @stability experimental
 * @category data
 * @since 0.1.0
 */
export const errorTable: ReadonlyArray<ErrorTableRow> = [
  ...labErrors,
  ...hostErrors,
  ...overflowTexts.flatMap((row) =>
    rowsOf(row.provider, row.source ?? badRequest, [[400, undefined, undefined, row.sample, "ContextLength"]])
  )
]
