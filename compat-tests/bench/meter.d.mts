export interface Cost<T> {
  value: T;
  wallMs: number;
  xids: number;
  walBytes: number;
  statements: number;
  nodeCpuMs: number;
  postgresCpuMs: number;
}
export declare class Meter {
  static open(url: string, postmasterPid: number): Promise<Meter>;
  of<T>(work: () => Promise<T>): Promise<Cost<T>>;
  close(): Promise<void>;
}
export declare function percentile(samples: number[], p: number): number;
export declare function perUnit(cost: Cost<unknown>, n: number): Record<string, number>;
export declare function payload(i: number): { id: number; text: string };
export declare function report(workload: string, figures: Record<string, number>): void;
