/** What a comparison can vary. */
export const axes = ["policy", "slots", "miss", "prefetch", "memory"] as const;
export type Axis = (typeof axes)[number];
