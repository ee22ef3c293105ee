/** Source maps of a bundle's parts, put together as an index map. */
import path from 'node:path';

export interface SourceMap {
  version: number;
  sources: string[];
  sourcesContent?: (string | null)[];
  names: string[];
  mappings: string;
}

/** Reads esbuild's map and makes its sources absolute, as the official bundler's are. */
export function parseMap(text: string, directory: string): SourceMap {
  const map = JSON.parse(text) as SourceMap;
  const sources = map.sources.map((source) => (source.includes('://') ? source : path.resolve(directory, source)));
  return { ...map, sources };
}

/** One map for parts that start at the given (0-based) lines of the joined script. */
export function joinMaps(parts: { line: number; map: SourceMap }[]): object {
  return { version: 3, sections: parts.map(({ line, map }) => ({ offset: { line, column: 0 }, map })) };
}

export function inlineMap(map: object): string {
  return `//# sourceMappingURL=data:application/json;charset=utf-8;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}\n`;
}
