"""The window itself: menus, tool bar, tabs, docks, and what its commands do."""
