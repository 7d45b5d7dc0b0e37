"""Pictures from outside are decoded in processes of their own, whose memory, time and output are bounded."""
