// A click gives the extension access to this tab (activeTab), and the side panel reads it.
chrome.action.onClicked.addListener(({ id }) => chrome.sidePanel.open({ tabId: id }));
