/** Tag of comments that were not given one. */
export const defaultTag = "forecasts";

/** Tags that a marker can hold: words of Latin letters, digits and the marks `. _ -` between them, 64 characters at most. */
export const isTag = (text: string): boolean => text.length <= 64 && /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/i.test(text);

/** The hidden line by which the comment of a tag is found again: it begins with it, and no text of users can hold it. */
export const markerOf = (tag: string): string => `<!-- moecast:${tag} -->`;
