import { holdsFor } from "./law.ts"
import { texts } from "./texts.ts"

holdsFor("texts", texts)
