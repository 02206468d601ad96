"""What billing keeps of periods, offerings and choices: catalog's and learning's facts, and the units that pay and charge."""
