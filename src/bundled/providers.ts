/**
 * Makes the providers known to a bundler and to who loads them.
 *
 * @since 0.1.0
 */
import { loaders } from "../provider/bundled.ts"
import { bundle } from "../provider/loading.ts"

bundle(loaders)
