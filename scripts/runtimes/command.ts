/** The program as a command; the servers come as JSON in the first argument. */
import { outcome } from "./program.ts"

// oxlint-disable-next-line no-console -- the outcome is what the command is for
console.log(await outcome(JSON.parse(process.argv[2]!)))
