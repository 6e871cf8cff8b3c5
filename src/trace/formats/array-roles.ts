import { fileName } from "./importer.ts";

/** What an array of a recording is, as far as its name says. */
export type ArrayRole =
  | "ids"
  | "counts"
  | "weights"
  | "layers"
  | "positions"
  | "sequence"
  | "tokens"
  | "promptTokens"
  | "outputTokens"
  | "experts"
  | "topK"
  | "beside"
  | "unnamed";

const tokensOf = (side: string) =>
  `${side}_(token_)?ids|${side}_tokens|num_${side}_tokens|${side}_len(gth)?|${side}_token_count`;

/** Names that writers give, by what they mean; the first that matches counts. */
const names: readonly (readonly [ArrayRole, RegExp])[] = [
  ["counts", /^((.*_)?(logical|expert|token|physical)_)?counts?$|(^|_)expert_(load|frequency|popularity|histogram)$/],
  ["experts", /^(num|n)(_(local|logical|routed))?_experts$/],
  ["topK", /^top_?k$|^num_experts_per_(tok|token)$/],
  ["weights", /(^|_)(weights?|gat(e|ing)_(weights|probs)|topk_(probs|scores|weights)|expert_probs)$/],
  ["layers", /^(moe_)?layer(s|_ids?|_ind(ices|ex)|_idx|_numbers?)$/],
  ["positions", /^(token_)?(position|pos)(s|_ids?)?$|^token_(idx|index|indices)$/],
  ["sequence", /^((seq(uence)?|req(uest)?)s?|(seq(uence)?|req(uest)?|prompt|conversation)_(ids?|idx|index|indices))$/],
  ["tokens", /^(token|vocab)_ids?$/],
  ["promptTokens", new RegExp(`^(${tokensOf("(prompt|input)")})$`)],
  ["outputTokens", new RegExp(`^(${tokensOf("(output|completion|generated)")})$`)],
  ["beside", /(^|_)(scores?|logits?|probs?|probabilities|hidden(_states)?|embeddings?|attention_mask|mask)$/],
  [
    "ids",
    /(^|_)(experts|expert_(ids?|ind(ices|ex)|idx)|(topk|selected|router|routing|routed)_(ids|ind(ices|ex)|idx|experts)|ids|routing)$/,
  ],
];

export function roleOf(name: string): ArrayRole {
  const plain = name.toLowerCase().replaceAll(/[.\-\s]/g, "_");
  return names.find(([, pattern]) => pattern.test(plain))?.[0] ?? "unnamed";
}

/** What the name of a file says of the lone array in it: `logical_count.npy`, `olmoe_expert_counts.csv`. */
export function roleOfFile(path: string): ArrayRole {
  const stem = fileName(path).replace(/(\.(npy|csv|tsv|txt|json|gz))+$/i, "");
  if (/(^|[-_. ])(counts?|histograms?|frequency|expert_?load)([-_. ]|$)/i.test(stem)) return "counts";
  const role = roleOf(stem);
  return role === "ids" || role === "counts" ? role : "unnamed";
}
