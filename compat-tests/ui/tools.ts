/** What shows the pages: Temporal's UI server and a real browser. */
import { type Tool, toolOrSkip } from '../tools';

const UI_SERVER: Tool = {
  title: "Temporal's Web UI server",
  // `go install` names it after its folder; packages name it after its project.
  executables: ['temporal-ui-server', 'ui-server', 'server'],
  variable: 'BRANCHLINE_UI_SERVER',
  howToInstall: 'go install github.com/temporalio/ui-server/v2/cmd/server@v2.42.1',
};

const CHROMIUM: Tool = {
  title: 'Chromium',
  executables: ['chromium', 'chromium-browser', 'google-chrome'],
  variable: 'CHROMIUM',
  howToInstall: 'apt-get install -y chromium',
};

export interface UiTools {
  uiServer: string;
  chromium: string;
}

/** @throws Error when one is missing and CI is set */
export function uiToolsOrSkip(): UiTools | undefined {
  const what = 'The test of the Web UI';
  const uiServer = toolOrSkip(UI_SERVER, what);
  const chromium = toolOrSkip(CHROMIUM, what);
  return uiServer === undefined || chromium === undefined ? undefined : { uiServer, chromium };
}
