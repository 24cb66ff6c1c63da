"""The staff site's toolkit: all that Forecourt's admin classes know of the admin theme, which no other module imports.

`admin`     StaffAdmin, what every admin class starts from
`columns`   list columns: badge, money, thumbnail, link_to, related_count
`actions`   service_action: a button and a list action that call a service
`inlines`   rows of other tables on a form, as tabs
`filters`   quick filters for `list_filter`; the filters for every field come by themselves
`site`      the base of the site; `theme` its looks, which the settings import before any app is loaded

This package is empty on purpose: the settings import `theme` when models cannot be loaded yet.
"""

from __future__ import annotations
