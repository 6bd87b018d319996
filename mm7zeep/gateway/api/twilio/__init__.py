"""The form of Twilio's Messages resource: products with a settable Twilio URL send MMS through any MM7 carrier."""
