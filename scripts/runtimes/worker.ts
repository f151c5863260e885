/** The program behind the fetch handler of a worker; the servers come as JSON in the body. */
import { outcome } from "./program.ts"

export default {
  fetch: async (request: Request): Promise<Response> => new Response(await outcome(JSON.parse(await request.text())))
}
