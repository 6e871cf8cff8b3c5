/** Formats that are made from the details of a run, and how names of their files end. */
export const detailsFormats = {
  details: ".details.json",
  requests: ".requests.csv",
} as const;

export type DetailsFormat = keyof typeof detailsFormats;

/** What a screen shows in such a format. */
export const formatWords: Readonly<Record<DetailsFormat, string>> = {
  details: "experts, caches, links",
  requests: "requests",
};

/** The format of a file by the end of its name; null for others. */
export const detailsFormatOf = (path: string): DetailsFormat | null =>
  (Object.keys(detailsFormats) as DetailsFormat[]).find((format) => path.endsWith(detailsFormats[format])) ?? null;
