"""Times in English: the month in letters, so that nobody mistakes it for the day, and hours as schedules count them."""

DATE_FORMAT = "M j, Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "M j, Y, H:i:s"
SHORT_DATETIME_FORMAT = "M j, Y, H:i"
