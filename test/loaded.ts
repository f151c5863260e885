/**
 * What calls load when they first need it is there before the tests: those in virtual time would wait for it in real time.
 */
import { compiler } from "../src/protocol/schema/compiler.ts"

await compiler.load()
