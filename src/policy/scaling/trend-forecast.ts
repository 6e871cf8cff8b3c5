/** Weights in [0, 1], and numbers of observations. */
export interface TrendSettings {
  /** Weight of the last value in the level, and of the last change of the level in the trend. */
  readonly level: number;
  readonly trend: number;
  /** How many observations ahead is forecast. */
  readonly ahead: number;
  /** Observations of a season; null: none. */
  readonly season: number | null;
}

/**
 * Holt's linear trend: level' = a x + (1 - a)(level + trend), trend' = b (level' - level) + (1 - b) trend, and the forecast
 * level + h trend (Holt, 1957; Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 8.2). Once a season
 * has passed, the change to the forecast is that of the level one season before, the seasonal naive method with drift of the
 * level. Values and forecasts are not below 0.
 */
export class TrendForecast {
  readonly #settings: TrendSettings;
  #level: number | null = null;
  #trend = 0;
  /** Levels of the last season, by observation modulo its length. */
  readonly #levels: number[] = [];
  #count = 0;
  #change = 0;

  constructor(settings: TrendSettings) {
    this.#settings = settings;
  }

  observe(value: number): void {
    const { level: a, trend: b } = this.#settings;
    const before = this.#level;
    const level = before === null ? value : Math.max(0, a * value + (1 - a) * (before + this.#trend));
    if (before !== null) this.#trend = b * (level - before) + (1 - b) * this.#trend;
    this.#level = level;
    this.#remember(level);
  }

  /** The value that is forecast; null before the first one. */
  forecast(): number | null {
    return this.#level === null ? null : Math.max(0, this.#level + this.#change);
  }

  /** The larger of the level and the forecast. */
  most(): number | null {
    return this.#level === null ? null : this.#level + Math.max(0, this.#change);
  }

  #remember(level: number): void {
    const { ahead, season } = this.#settings;
    this.#change = ahead * this.#trend;
    if (season === null) return;
    const here = this.#count % season;
    if (this.#count >= season) {
      // The level one season before is still in its place; those after it follow.
      const later = Math.min(ahead, season - 1);
      this.#change = this.#levels[(this.#count + later) % season]! - this.#levels[here]!;
    }
    this.#levels[here] = level;
    this.#count++;
  }
}
