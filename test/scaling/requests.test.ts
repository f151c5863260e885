import { holdsFor } from "./law.ts"
import { requests } from "./requests.ts"

holdsFor("requests", requests)
