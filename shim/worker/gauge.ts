/** A number that can be watched, as far as observers of RxJS need it. */

export interface Unsubscribable {
  unsubscribe(): void;
}

/** What the `…$` properties of a worker are. */
export interface Observable<T> {
  subscribe(next: ((value: T) => void) | { next?: (value: T) => void }): Unsubscribable;
}

export class Gauge implements Observable<number> {
  private readonly observers = new Set<(value: number) => void>();
  private current = 0;

  get value(): number {
    return this.current;
  }

  add(change: number): void {
    this.set(this.current + change);
  }

  set(value: number): void {
    this.current = value;
    for (const observer of this.observers) observer(value);
  }

  /** Calls back with the present value, then with each change. */
  subscribe(next: ((value: number) => void) | { next?: (value: number) => void }): Unsubscribable {
    const observer = typeof next === 'function' ? next : (value: number) => next.next?.(value);
    this.observers.add(observer);
    observer(this.current);
    return { unsubscribe: () => void this.observers.delete(observer) };
  }

  /** A gauge that follows the sum of others. */
  static sum(...parts: Gauge[]): Gauge {
    const total = new Gauge();
    for (const part of parts) {
      let last = 0;
      part.subscribe((value) => {
        total.add(value - last);
        last = value;
      });
    }
    return total;
  }
}
