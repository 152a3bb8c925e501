"""The fields of a request, and how they become one; shared by the checks that send HTTP."""
