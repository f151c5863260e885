/**
 * The API report: what the package declares, a file per subpath in api/, without comments, so that a change of a public type is a change
 * that somebody sees and accepts. `behind.api.md` has the declarations of modules that are not public and that the public ones name.
 *
 * Every export of a public module says how long it can be relied on (`@stability`, see docs/stability.md) and has words of its own. So has
 * every member of what public modules export themselves or from elsewhere.
 *
 * Needs a build. `--check` writes nothing and fails with the files that differ; `npm run api` accepts them.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript-6"

const root = fileURLToPath(new URL("../", import.meta.url))
const check = process.argv.includes("--check")
const problems: Array<string> = []

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>
}
const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest

/** Files of declarations by subpath. The barrel names the modules that have subpaths, and the bundled ones repeat theirs. */
const doors = new Map(
  Object.entries(exports).flatMap(([subpath, door]) =>
    typeof door === "string" || subpath === "." ? [] : [[join(root, door.types), subpath]]
  )
)

interface Entry {
  readonly name: string
  readonly text: string
}

const printer = ts.createPrinter({ removeComments: true })

const parse = (file: string): ts.SourceFile =>
  ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true, ts.ScriptKind.TS)

const importsOf = (source: ts.SourceFile): ReadonlyArray<string> =>
  source.statements.flatMap((statement) =>
    (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) &&
      statement.moduleSpecifier !== undefined && ts.isStringLiteral(statement.moduleSpecifier) &&
      statement.moduleSpecifier.text.startsWith(".")
      ? [join(dirname(source.fileName), statement.moduleSpecifier.text.replace(/\.ts$/, ".d.ts"))]
      : []
  )

const nameOf = (statement: ts.Statement): string => {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText()).join(", ")
  }
  return "name" in statement && statement.name !== undefined ? (statement.name as ts.Node).getText() : ""
}

const entriesOf = (source: ts.SourceFile): ReadonlyArray<Entry> =>
  source.statements
    .filter((statement) => !ts.isImportDeclaration(statement))
    .map((statement) => ({
      name: nameOf(statement),
      text: printer.printNode(ts.EmitHint.Unspecified, statement, source)
    }))
    .filter(({ text }) => text !== "export {};")
    .toSorted((one, other) => one.name < other.name ? -1 : one.name > other.name ? 1 : 0)

const isExported = (statement: ts.Statement): boolean =>
  ts.canHaveModifiers(statement) &&
  (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)

/** What an export lacks: words, a tier. Overloads share the comment of the first. */
const lacking = (source: ts.SourceFile, subpath: string): ReadonlyArray<string> => {
  const seen = new Set<string>()
  return source.statements.flatMap((statement) => {
    const name = nameOf(statement)
    if (!isExported(statement) || seen.has(name)) return []
    seen.add(name)
    const comment = (ts.getLeadingCommentRanges(source.text, statement.pos) ?? [])
      .map(({ end, pos }) => source.text.slice(pos, end)).filter((text) => text.startsWith("/**")).at(-1) ?? ""
    const where = `${subpath} ${name}`
    return [
      ...(/@stability (?:stable|experimental)\b/.test(comment) ? [] : [`${where}: has no @stability`]),
      ...(/^\/\*\*\s*\*?\s*[^@\s*]/.test(comment) ? [] : [`${where}: says nothing`])
    ]
  })
}

/** Fields that only tell members of a union apart, those that a union rules out, and those that no user reads. */
const speaksForItself = (member: ts.TypeElement | ts.ClassElement): boolean => {
  if (member.name === undefined || ts.isComputedPropertyName(member.name) || ts.isPrivateIdentifier(member.name)) {
    return true
  }
  if (
    ts.canHaveModifiers(member) && ts.getModifiers(member)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
  ) {
    return true
  }
  const type = ts.isPropertySignature(member) || ts.isPropertyDeclaration(member) ? member.type : undefined
  if (type === undefined) return false
  const isLiteral = (node: ts.TypeNode): boolean => ts.isLiteralTypeNode(node)
  return type.kind === ts.SyntaxKind.UndefinedKeyword || isLiteral(type) ||
    (/^(?:_tag|type)$/.test(member.name.getText()) && ts.isUnionTypeNode(type) && type.types.every(isLiteral))
}

/** Members without words: of interfaces, classes and types, and of the options of functions. */
const wordless = (statement: ts.Statement, where: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  const visit = (node: ts.Node, path: string): void => {
    if (!ts.isInterfaceDeclaration(node) && !ts.isTypeLiteralNode(node) && !ts.isClassDeclaration(node)) {
      ts.forEachChild(node, (child) => visit(child, path))
      return
    }
    for (const heritage of ts.isTypeLiteralNode(node) ? [] : node.heritageClauses ?? []) visit(heritage, path)
    for (const member of node.members) {
      const inner = member.name === undefined ? path : `${path}.${member.name.getText()}`
      const isField = ts.isPropertySignature(member) || ts.isMethodSignature(member) ||
        ts.isPropertyDeclaration(member) ||
        ts.isMethodDeclaration(member) || ts.isGetAccessor(member)
      if (isField && !speaksForItself(member) && !hasWords(member)) found.push(`${inner}: says nothing`)
      ts.forEachChild(member, (child) => visit(child, inner))
    }
  }
  /** What a function takes. What it gives is named, or inferred, and then without comments. */
  const options = (node: ts.Node, path: string): void => {
    if (ts.isParameter(node)) visit(node, path)
    else if (!ts.isTypeLiteralNode(node)) ts.forEachChild(node, (child) => options(child, path))
    else for (const member of node.members) if (ts.isCallSignatureDeclaration(member)) options(member, path)
  }
  if (ts.isVariableStatement(statement) || ts.isFunctionDeclaration(statement)) options(statement, where)
  else visit(statement, where)
  return found
}

const hasWords = (node: ts.Node): boolean =>
  (ts.getLeadingCommentRanges(node.getSourceFile().text, node.pos) ?? [])
    .some(({ end, pos }) => /^\/\*\*\s*\*?\s*\S/.test(node.getSourceFile().text.slice(pos, end)))

const seen = new Set<string>()

/** What a module exports, those of others included, that has members without words. */
const silent = (file: string, name: string | undefined): ReadonlyArray<string> => {
  if (seen.has(`${file} ${name}`) || !existsSync(file)) return []
  seen.add(`${file} ${name}`)
  const source = parse(file)
  return source.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement)) {
      const own = nameOf(statement)
      const where = `${relative(join(root, "dist"), file).replaceAll("\\", "/")} ${own}`
      return !isExported(statement) || (name !== undefined && name !== own) || seen.has(`${where} ${statement.pos}`)
        ? []
        : (seen.add(`${where} ${statement.pos}`), wordless(statement, where))
    }
    const { exportClause, moduleSpecifier } = statement
    if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return []
    if (!moduleSpecifier.text.startsWith(".")) return []
    const other = join(dirname(file), moduleSpecifier.text.replace(/\.ts$/, ".d.ts"))
    if (exportClause === undefined) return silent(other, name)
    if (ts.isNamespaceExport(exportClause)) return silent(other, undefined)
    return exportClause.elements
      .filter((element) => name === undefined || element.name.text === name)
      .flatMap(({ name: as, propertyName }) => silent(other, (propertyName ?? as).text))
  })
}

const report = (title: string, entries: ReadonlyArray<Entry>): string =>
  `# ${title}\n\nGenerated by \`npm run api\`; a change is a decision.\n\n\`\`\`ts\n${
    entries.map(({ text }) => text).join("\n\n")
  }\n\`\`\`\n`

const outputs = new Map<string, string>()
const behind = new Set<string>()
const queue: Array<string> = []

for (const [file, subpath] of doors) {
  if (!existsSync(file)) {
    problems.push(`${subpath}: ${relative(root, file)} is not there; run npm run build`)
    continue
  }
  const source = parse(file)
  problems.push(...lacking(source, subpath), ...silent(file, undefined))
  const name = subpath.slice(2).replaceAll("/", ".")
  outputs.set(`${name}.api.md`, report(`effect-llm/${subpath.slice(2)}`, entriesOf(source)))
  queue.push(...importsOf(source))
}

for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
  if (doors.has(file) || behind.has(file) || !existsSync(file)) continue
  behind.add(file)
  queue.push(...importsOf(parse(file)))
}

outputs.set(
  "behind.api.md",
  report(
    "Modules that are not public",
    [...behind].toSorted().flatMap((file) => {
      const entries = entriesOf(parse(file))
      return entries.length === 0
        ? []
        : [{ name: file, text: `// ${relative(join(root, "dist"), file).replaceAll("\\", "/")}` }, ...entries]
    })
  )
)

const folder = join(root, "api")
mkdirSync(folder, { recursive: true })
for (const file of globSync("*.api.md", { cwd: folder })) {
  if (outputs.has(file)) continue
  if (check) problems.push(`api/${file}: nothing has this subpath any more`)
  else rmSync(join(folder, file))
}
for (const [name, text] of problems.length > 0 && check ? [] : outputs) {
  const file = join(folder, name)
  if (existsSync(file) && readFileSync(file, "utf8") === text) continue
  if (check) problems.push(`api/${name} is not what the package declares`)
  else writeFileSync(file, text)
}

if (problems.length > 0) {
  console.error(`${problems.join("\n")}\n${problems.length} problems. A change that is meant: npm run api`)
  process.exitCode = 1
}
