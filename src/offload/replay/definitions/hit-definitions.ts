import { eventAtomic } from "./event-atomic.ts";
import type { HitDefinition } from "./hit-definition.ts";
import { lrcDefinition } from "./lrc.ts";
import { newPerLayerToken } from "./new-per-layer-token.ts";
import { perRoutedToken } from "./per-routed-token.ts";
import { physical } from "./physical.ts";
import { uniquePerCall } from "./unique-per-call.ts";

/** Definitions of the hit rate in the literature, by name. The same replay differs by tens of points between them. */
export const hitDefinitions: readonly HitDefinition[] = [
  lrcDefinition,
  uniquePerCall,
  perRoutedToken,
  newPerLayerToken,
  eventAtomic,
  physical,
];
