/**
 * `Registry` for applications that are bundled as well: every provider is named to the bundler.
 *
 * @since 0.1.0
 */
import "./providers.ts"

export * from "../config/Registry.ts"
