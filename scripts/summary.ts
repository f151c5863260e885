/** One line for each public export: what it is called, its type where that is short, and the first sentence of its doc comment. */
import { readFileSync } from "node:fs"
import ts from "typescript-6"

const root = new URL("../", import.meta.url)

const firstSentence = (comment: string): string => {
  const text = comment.replace(/^\/\*\*|\*\/$/g, "").split("\n").map((line) => line.replace(/^\s*\* ?/, "")).join("\n")
    .trim()
  const paragraph = text.split(/\n\s*\n|(?:^|\s)@\w/)[0]!.replace(/\{@link ([^}]+)\}/g, "`$1`").replace(/\s+/g, " ")
    .trim()
  return /^.*?[.!?](?= |$)/.exec(paragraph)?.[0] ?? paragraph
}

const commentBefore = (source: ts.SourceFile, node: ts.Node): string =>
  (ts.getLeadingCommentRanges(source.text, node.pos) ?? [])
    .map(({ end, pos }) => source.text.slice(pos, end)).filter((text) => text.startsWith("/**")).at(-1) ?? ""

const namesOf = (statement: ts.Statement): ReadonlyArray<string> =>
  ts.isVariableStatement(statement)
    ? statement.declarationList.declarations.map(({ name }) => name.getText())
    : "name" in statement && statement.name !== undefined
    ? [(statement.name as ts.Node).getText()]
    : []

/** The fields of an interface, with their types where those are short. */
const fieldsOf = (statement: ts.Statement): string => {
  if (!ts.isInterfaceDeclaration(statement)) return ""
  const fields = statement.members.flatMap((member) => {
    if (!ts.isPropertySignature(member)) return []
    const type = member.type?.getText().replace(/\s*\|\s*undefined$/, "").replace(/\s+/g, " ") ?? ""
    const name = `${member.name.getText()}${member.questionToken === undefined ? "" : "?"}`
    return [type === "" || type.length > 60 ? name : `${name}: ${type}`]
  })
  return fields.length === 0 ? "" : ` \`{ ${fields.join("; ")} }\``
}

/** The exports of a module under src/, as a list in Markdown. */
export const summaryOf = (module: string): string => {
  const file = new URL(`src/${module}.ts`, root)
  const source = ts.createSourceFile(file.href, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true)
  const seen = new Set<string>()
  const lines = source.statements.flatMap((statement) => {
    const exported = ts.canHaveModifiers(statement) &&
      (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    if (!exported) return []
    const type = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)
    return namesOf(statement).flatMap((name) => {
      if (seen.has(name)) return []
      seen.add(name)
      return [
        `- \`${type ? "type " : ""}${name}\`: ${
          firstSentence(commentBefore(source, statement)).replaceAll("<", "&lt;")
        }${fieldsOf(statement)}`
      ]
    })
  })
  const header = firstSentence(source.text.match(/^\/\*\*[\s\S]*?\*\//)?.[0] ?? "")
  return `### ${module.split("/").at(-1)}\n\n${header}\n\n${lines.join("\n")}`
}
