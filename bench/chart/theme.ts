export interface Theme {
  readonly background: string;
  readonly text: string;
  readonly faint: string;
  readonly grid: string;
  readonly met: string;
  readonly missed: string;
  readonly neutral: string;
  readonly second: string;
}

/** For pages with a light and with a dark background; the colours differ in lightness too, not in hue alone. */
export const THEMES: Readonly<Record<'light' | 'dark', Theme>> = {
  light: {
    background: '#ffffff',
    text: '#1f2328',
    faint: '#59636e',
    grid: '#d1d9e0',
    met: '#1a7f37',
    missed: '#bf5700',
    neutral: '#0969da',
    second: '#8250df',
  },
  dark: {
    background: '#0d1117',
    text: '#f0f6fc',
    faint: '#9198a1',
    grid: '#3d444d',
    met: '#3fb950',
    missed: '#f0883e',
    neutral: '#58a6ff',
    second: '#bc8cff',
  },
};

/** Without quotes: the renderer does not escape them. */
export const FONT = 'system-ui, Helvetica, Arial, sans-serif';
