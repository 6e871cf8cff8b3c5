import type { Template } from "./template.ts";
import { chat } from "./templates/chat.ts";
import { ci } from "./templates/ci.ts";
import { offload } from "./templates/offload.ts";
import { pools } from "./templates/pools.ts";

/** Templates by name, in the order in which they are offered: one line and one file each. */
export const templates = { chat, offload, ci, pools } as const satisfies Record<string, Template>;

export type TemplateName = keyof typeof templates;
